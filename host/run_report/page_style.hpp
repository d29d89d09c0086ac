// The style of the page, and the read-out of its curves.
#pragma once

#include <string_view>

namespace vaecuda {

/// Sizes in rem, spaces in multiples of 4 px. Charts are 20 rem wide and cards never narrower unless the
/// screen is; an SVG unit is a sixteenth of a rem, so text is .75 rem everywhere. Every colour has a contrast
/// of 4.5 with its background as text, 3 as a mark. The ten category colours differ in lightness as well as
/// in hue.
inline constexpr std::string_view kPageStyle = R"(
:root{color-scheme:light dark;--ground:#fff;--panel:#f6f7f9;--text:#1a1d23;--soft:#59616e;--rule:#d9dde3;
--c0:#0b5fa5;--c1:#c2410c;--c2:#00796b;--c3:#a3257a;--c4:#8a6a00;--c5:#0e8fb8;--c6:#6440a8;--c7:#23272f;--c8:#d42a5b;--c9:#747c88}
@media (prefers-color-scheme:dark){:root{--ground:#13161b;--panel:#1b2027;--text:#e8eaee;--soft:#a4adba;--rule:#343b46;
--c0:#5fb0f5;--c1:#ff9a5c;--c2:#35c9ad;--c3:#ea8fd0;--c4:#ecd152;--c5:#86e0fb;--c6:#b79ff5;--c7:#f4f5f7;--c8:#ff7797;--c9:#9aa3af}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:72rem;margin:0 auto;padding:0 1rem}
header{padding-top:2rem}
h1{font-size:1.75rem;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.3;margin:2.5rem 0 .75rem}
p{margin:.25rem 0 .75rem;max-width:44rem;overflow-wrap:anywhere}
header p,.note,figcaption,footer{color:var(--soft)}
.note{font-size:.875rem}
.warning{max-width:none;margin:1rem 0 0;padding:.75rem 1rem;background:var(--panel);border-left:.25rem solid var(--c1);border-radius:.25rem}
footer{font-size:.875rem;margin:3rem auto 2rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:0 0 .25rem}
th,td{text-align:right;padding:.375rem 0 .375rem 1.5rem;border-bottom:1px solid var(--rule);white-space:nowrap}
th{font-weight:600}
tbody th{font-weight:400}
th:first-child,td:first-child{text-align:left;padding-left:0}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1.5rem}
.charts.two{grid-template-columns:repeat(auto-fill,minmax(min(100%,30rem),1fr))}
.charts+p{margin-top:1rem}
figure{margin:0;padding:1rem;background:var(--panel);border-radius:.5rem;min-width:0;break-inside:avoid}
figure h3{font-size:1rem;line-height:1.3;margin:0 0 .5rem}
figcaption{font-size:.875rem;line-height:1.45;margin-top:.5rem}
.pictures .large{grid-column:1/-1}
.pictures img{display:block;max-width:100%;height:auto}
.sheet{display:grid;grid-template-columns:auto minmax(0,max-content);gap:.25rem .5rem;font-size:.75rem;line-height:1.2;color:var(--soft);font-variant-numeric:tabular-nums}
.large .sheet{grid-template-columns:auto 1fr;min-width:60rem}
.large .sheet img{width:100%}
.across{grid-column:2;display:flex}
.across span{flex:1 1 0;min-width:0;text-align:center;white-space:nowrap}
.down{display:flex;flex-direction:column}
.down span{flex:1 1 0;min-height:0;display:flex;align-items:center;justify-content:flex-end;white-space:nowrap}
.chart{display:block;width:100%;max-width:20rem;height:auto;overflow:visible}
.chart text{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
.chart .middle{text-anchor:middle}
.chart .end{text-anchor:end}
.grid{stroke:var(--rule);stroke-width:1}
.axis{stroke:var(--soft);stroke-width:1}
.line{fill:none;stroke:var(--s);stroke-width:1.75;stroke-linejoin:round}
.line.s1{stroke-dasharray:5 3}
.dots,.points{fill:none;stroke:var(--s);stroke-width:5;stroke-linecap:round}
.points{stroke-width:3.2;stroke-opacity:.6}
.chart .group{fill:var(--s);font-weight:700;text-anchor:middle;paint-order:stroke;stroke:var(--panel);stroke-width:4px;stroke-linejoin:round}
.bar{fill:var(--c0)}
.bar.faint{fill:var(--c9)}
.heat{fill:var(--c0);shape-rendering:crispEdges}
.frame{fill:none;stroke:var(--soft);stroke-width:1}
.hit{fill:none;pointer-events:all}
.cursor{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 2}
.readout{display:block;font-size:.75rem;min-height:1.3rem;font-variant-numeric:tabular-nums}
.keys{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:0 0 .5rem;padding:0;font-size:.75rem;color:var(--soft)}
.keys li{display:flex;align-items:center;gap:.375rem}
.keys svg{width:1.5rem;height:.75rem;flex:none}
.s0{--s:var(--c0)}.s1{--s:var(--c1)}.s2{--s:var(--c2)}.s3{--s:var(--c3)}.s4{--s:var(--c4)}
.s5{--s:var(--c5)}.s6{--s:var(--c6)}.s7{--s:var(--c7)}.s8{--s:var(--c8)}.s9{--s:var(--c9)}
.settings{columns:19rem;column-gap:2.5rem}
.settings table{width:100%;margin:0 0 1.5rem;break-inside:avoid}
.settings th,.settings td{white-space:normal;padding:.25rem 0;vertical-align:top}
.settings td{overflow-wrap:anywhere;padding-left:1rem}
.settings th{text-align:left;color:var(--soft)}
@media (max-width:30rem){header{padding-top:1.25rem}th,td{padding-left:.75rem;font-size:.8125rem}#figures tbody th{white-space:normal}figure{padding:.75rem}}
details{margin:1.5rem 0}
summary{cursor:pointer;font-weight:600}
summary:focus-visible,.chart:focus-visible,.wide:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
details .wide{margin-top:.75rem}
@media print{:root{color-scheme:light;--ground:#fff;--panel:#fff;--text:#000;--soft:#454b55;--rule:#c9ced6;
--c0:#0b5fa5;--c1:#c2410c;--c2:#00796b;--c3:#a3257a;--c4:#8a6a00;--c5:#0e8fb8;--c6:#6440a8;--c7:#23272f;--c8:#d42a5b;--c9:#747c88}
body{font-size:10pt}main,header,footer{max-width:none;padding:0}figure{padding:0}h2{break-after:avoid;margin-top:1.5rem}
.charts,.charts.two{grid-template-columns:1fr 1fr}.readout{display:none}.wide{overflow:visible}
.large .sheet{min-width:0}tr{break-inside:avoid}}
)";

/// Shows the value under the pointer, or at a cursor that the arrow keys move. The page is complete without
/// it. It contains no character with a meaning in XML.
inline constexpr std::string_view kPageScript = R"(
for (const svg of document.querySelectorAll('svg.curve')) {
  const numbers = (text) => text.split(' ').map(Number);
  const [left, right, low, high] = numbers(svg.dataset.x);
  const [bottom, top, least, most] = numbers(svg.dataset.y);
  const lines = [...svg.querySelectorAll('path[data-name]')].map((path) => ({
    name: path.dataset.name,
    points: (path.getAttribute('d').match(/-?[0-9.]+ -?[0-9.]+/g) || []).map(numbers),
  })).filter((line) => line.points.length > 0);
  if (lines.length === 0) continue;
  const cursor = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  cursor.setAttribute('class', 'cursor');
  svg.append(cursor);
  const readout = document.createElement('output');
  readout.className = 'readout';
  svg.after(readout);
  let at = lines[0].points.length - 1;
  const show = () => {
    const x = lines[0].points[at][0];
    cursor.setAttribute('d', `M${x} ${top}V${bottom}`);
    const words = lines.map((line) => {
      const near = line.points.reduce((a, b) => Math.abs(b[0] - x) > Math.abs(a[0] - x) ? a : b);
      const value = least + (bottom - near[1]) / (bottom - top) * (most - least);
      return `${line.name} ${Number(value.toPrecision(4))}`;
    });
    const epoch = low + (x - left) / (right - left) * (high - low);
    readout.textContent = `epoch ${epoch.toFixed(2)}: ${words.join(', ')}`;
  };
  const hide = () => { cursor.removeAttribute('d'); readout.textContent = ''; };
  svg.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const points = lines[0].points;
    at = points.reduce((best, point, i) => Math.abs(point[0] - x) > Math.abs(points[best][0] - x) ? best : i, 0);
    show();
  });
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('focus', show);
  svg.addEventListener('blur', hide);
  svg.addEventListener('keydown', (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!step) return;
    event.preventDefault();
    at = Math.min(Math.max(at + step, 0), lines[0].points.length - 1);
    show();
  });
}
)";

}  // namespace vaecuda
