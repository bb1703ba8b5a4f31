"""What the demo show says: a title, three episodes, their notes and chapters."""

from __future__ import annotations

from dataclasses import dataclass

SHOW_HANDLE = "demo"
SHOW_TITLE = "Longwave Demo"
SHOW_AUTHOR = "The Longwave Orchestra"
SHOW_CATEGORY = "Music"
SHOW_DESCRIPTION = """\
Three short pieces of music that were computed on this machine, with nothing recorded and nothing \
borrowed. They are here so that you can try everything: play them, follow the feed in a podcast \
app, replace the audio, and watch the downloads arrive.
"""


@dataclass(frozen=True, slots=True)
class DemoEpisode:
    """`sections` names the chapters; the music decides when each begins."""

    number: int
    title: str
    sections: tuple[str, ...]
    introduction: str
    closing: str


EPISODES: dict[int, DemoEpisode] = {
    1: DemoEpisode(
        number=1,
        title="Carrier",
        sections=("Switching on", "First theme", "Answer", "First theme, fuller", "Fading"),
        introduction="""\
An electric piano finds a station late in the evening. Four chords in **D major**, eighty beats a
minute, and a melody that answers itself.
""",
        closing="""\
## Things to try with this episode

- Play it here and look at the *live* page in another window: the download appears within seconds.
- Subscribe to the feed in your podcast app. The address is on the show's page.
- Open [how downloads are counted](https://iabtechlab.com/standards/podcast-measurement-guidelines/)
  and compare it with the page "How we count".
""",
    ),
    2: DemoEpisode(
        number=2,
        title="Night Transmission",
        sections=("Out at sea", "Bells", "The long wave", "Bells, further away", "Signing off"),
        introduction="""\
Slow chords in **A minor**, sixty beats a minute: the sound of a set that was left on. The bells
are built from partials that don't quite agree with one another, which is why they shimmer.

> Long waves follow the curve of the earth. At night they go even further.
""",
        closing="""\
## How the sound is made

1. Every note is a sum of sine waves, each with its own decay.
2. A room is added: a few seconds of noise that dies away, folded into each note.
3. The sum is brought to an even loudness and encoded to MP3.
""",
    ),
    3: DemoEpisode(
        number=3,
        title="Morning Signal",
        sections=("Warming up", "Strings", "Walking", "All together", "Good morning"),
        introduction="""\
Plucked strings in **G major**, a little over a hundred beats a minute, and the light comes in.
""",
        closing="""\
## Make it yours

This episode is a good one to *replace*: upload a file of your own in the studio. Its address and
its GUID stay as they are, so no app downloads the whole back catalogue again. See
[what an enclosure is](https://www.rssboard.org/rss-specification#ltenclosuregtSubelementOfLtitemgt).
""",
    ),
}


def notes(episode: DemoEpisode, starts_seconds: list[float]) -> str:
    """The notes in Markdown, with the time at which each section begins."""
    listed = "\n".join(
        f"- {_clock(start)} {name}"
        for start, name in zip(starts_seconds, episode.sections, strict=True)
    )
    return f"{episode.introduction}\n## What happens when\n\n{listed}\n\n{episode.closing}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"
