// What every page has. Each module listens on the document, so that parts swapped in by htmx work as well.
import "./theme.js";
import "./menus.js";
import "./confirm.js";
import "./copy.js";
import "./toasts.js";
import "./times.js";
import "./fields.js";
