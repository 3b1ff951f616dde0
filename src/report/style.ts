// Defines the only style sheet of the HTML pages: light, dark and print. Color-blind readers can
// distinguish the colors, and verdicts also have a mark and their name.

export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #fff; --shade: #f6f8fa; --good: #0072b2; --bad: #d55e00; --open: #b58900; --odd: #6f42c1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --paper: #0d1117; --shade: #161b22; --good: #56b4e9; --bad: #ff8c42; --open: #f0c419; --odd: #c297ff; } }
@media print { :root { --ink: #000; --soft: #333; --line: #999; --paper: #fff; --shade: #fff; --good: #0072b2; --bad: #d55e00; --open: #b58900; --odd: #6f42c1; } details { display: none } tr, svg { break-inside: avoid } h2, h3 { break-after: avoid } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem }
h3 { font-size: .95rem; margin: 1rem 0 .2rem } ul { margin: .2rem 0; padding-left: 1.2rem } a { color: inherit } p { margin: .4rem 0 } code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere }
.verdict { font-size: 1.1rem; padding: .6rem .8rem; border-left: 5px solid var(--good); background: var(--shade); margin: 1rem 0 }
.verdict.bad { border-color: var(--bad) } .verdict.open { border-color: var(--open) }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums } .wide { overflow-x: auto }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word } th { color: var(--soft); font-weight: 600; white-space: nowrap }
td.n, th.n { text-align: right } .soft { color: var(--soft) } svg { display: block; width: 100%; height: auto; margin: .4rem 0 }
.passed { color: var(--good); fill: var(--good) } .failed { color: var(--bad); fill: var(--bad) } .inconclusive { color: var(--open); fill: var(--open) } .errored { color: var(--odd); fill: var(--odd) }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif } .bar { fill: var(--good); opacity: .75 } .line { fill: none; stroke: var(--good); stroke-width: 1.5 } .dot { fill: var(--good) } .grid { stroke: var(--line); stroke-width: .5 } .limit { stroke: var(--bad); stroke-dasharray: 5 4 } pre { font-size: 11px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 30rem; overflow: auto }
@media print { .wide { overflow: visible } table { font-size: 9px } th, td { white-space: normal; padding-right: .3rem } td { overflow-wrap: anywhere } }
`;
