"""What every part of the API is made with: reading, rendering, paging, refusing, repeating."""
