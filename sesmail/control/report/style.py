"""The style sheet of the report's page: one set of names, with colours for light, dark and print.

Text has a contrast of 4.5 to 1 or more against what is behind it, marks of 3 to 1 (WCAG 2.2).
"""

from __future__ import annotations

_LIGHT = {
    "paper": "#ffffff",
    "panel": "#f5f6f8",
    "text": "#1b2026",
    "muted": "#565f6a",
    "grid": "#d6dae0",
    "sent": "#2f6bbd",
    "deferred": "#a86a00",
    "failed": "#6b7480",
    "bounced": "#c2352b",
    "complained": "#8b3fb0",
    "delivered": "#1f7f5c",
    "slow": "#a86a00",
}
_DARK = {
    "paper": "#14171b",
    "panel": "#1d2228",
    "text": "#e8eaed",
    "muted": "#a9b1bb",
    "grid": "#363d46",
    "sent": "#74a9f5",
    "deferred": "#e0a64a",
    "failed": "#98a2ae",
    "bounced": "#f08078",
    "complained": "#cf93ee",
    "delivered": "#5cc49a",
    "slow": "#e0a64a",
}
_MARKS = ("sent", "deferred", "failed", "bounced", "complained", "delivered", "slow")

_RULES = """
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; background: var(--paper);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.25rem; overflow-wrap: anywhere; }
h3 { margin: 0 0 .25rem; font-size: .95rem; }
p, figcaption, footer { color: var(--muted); }
header p { margin: .25rem 0 0; }
.note { border-left: .25rem solid var(--deferred); padding-left: .75rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem;
  margin: 0; }
.tiles div { background: var(--panel); border-radius: .4rem; padding: .6rem .9rem; }
.tiles dt { color: var(--muted); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.tiles small { color: var(--muted); font-size: .85rem; white-space: nowrap; }
.tiles .bad { outline: 2px solid var(--bounced); }
.tiles .bad small { color: var(--bounced); font-weight: 600; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 1rem; margin: 1rem 0; }
figure { margin: 0; background: var(--panel); border-radius: .4rem; padding: .75rem .9rem;
  min-width: 0; }
figcaption { display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .85rem; }
svg { display: block; width: 100%; height: auto; }
.tick { fill: var(--muted); font: 12px system-ui, sans-serif; }
@media screen and (max-width: 30rem) { .tick { font-size: 17px; } }
.grid { stroke: var(--grid); stroke-width: 1; }
.line { fill: none; stroke-width: 2; }
.key { display: inline-block; width: .75em; height: .75em; margin-right: .35em;
  border-radius: .15em; vertical-align: baseline; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: 0 0 1rem; width: 100%; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { padding: .2rem 0 .2rem .9rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--grid); font-variant-numeric: tabular-nums; }
th { color: var(--muted); font-weight: 600; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 6.5rem; }
.tables { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1rem 2rem; }
@media (max-width: 60rem) { .tables { grid-template-columns: minmax(0, 1fr); } }
footer { margin-top: 2.5rem; font-size: .85rem; }
"""


def sheet() -> str:
    """Return the style sheet."""
    marks = "\n".join(
        f".{name} {{ fill: var(--{name}); stroke: none; background: var(--{name}); }}\n"
        f".{name}.line {{ fill: none; stroke: var(--{name}); background: none; }}"
        for name in _MARKS
    )
    return (
        f":root {{ color-scheme: light dark; {_variables(_LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_variables(_DARK)} }} }}\n"
        "@media print { :root { color-scheme: light; } body { max-width: none; padding: 0; }\n"
        "  figure, .tiles div, tr { break-inside: avoid; }\n"
        "  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }"
        f"{_RULES}{marks}\n"
    )


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())
