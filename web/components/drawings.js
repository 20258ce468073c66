// Drawings for the steps of help: outlines of a phone or a window, with the place to press in the accent.

const SVG = 'http://www.w3.org/2000/svg';

function part(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const rect = (x, y, width, height, rx, kind = '') => part('rect', { x, y, width, height, rx, class: kind });
const path = (d, kind = '') => part('path', { d, class: kind });
const circle = (cx, cy, r, kind = '') => part('circle', { cx, cy, r, class: kind });
/** Words that are not to be read. */
const bar = (x, y, width, kind = 'is-word') => rect(x, y, width, 5, 2.5, kind);

/** The sign for sharing on Apple's devices: an arrow out of a box. */
const share = (x, y) => path(`M${x} ${y + 7}v-12m-4 4 4-4 4 4M${x - 5} ${y + 1}h-2v10h14V${y + 1}h-2`, 'is-here');
const phone = (...inside) => [rect(46, 4, 68, 112, 12, 'is-frame'), ...inside];
const browserWindow = (...inside) => [rect(6, 14, 148, 92, 8, 'is-frame'), path('M6 36h148'), circle(16, 25, 2.5), circle(25, 25, 2.5), rect(38, 19, 92, 12, 6, 'is-field'), ...inside];
const flame = (x, y, scale) => part('path', { d: 'M12 3c1 4 6 6 6 11a6 6 0 0 1-12 0c0-2 1-3.500 2.500-5 .5 2 1.500 2.500 2 2.500C11.500 9 10.500 6 12 3Z', transform: `translate(${x} ${y}) scale(${scale})`, class: 'is-flame' });

const DRAWINGS = {
  shareButton: () => phone(bar(56, 22, 40), bar(56, 32, 30), path('M46 96h68'), share(80, 104), circle(80, 105, 13, 'is-ring')),
  addToHome: () => phone(rect(52, 48, 56, 60, 8, 'is-field'), bar(60, 58, 30), path('M52 70h56'), bar(60, 78, 26, 'is-here-word'), rect(94, 75, 10, 10, 2, 'is-here'), path('M99 77v6m-3-3h6', 'is-here'), path('M52 92h56'), bar(60, 98, 30)),
  homeScreen: () => phone(...[0, 1, 2, 3, 4, 5].map((n) => rect(56 + (n % 3) * 18, 20 + Math.floor(n / 3) * 20, 12, 12, 3, 'is-field')), rect(56, 60, 14, 14, 4, 'is-app'), flame(56.6, 60, 0.54), circle(63, 67, 13, 'is-ring')),
  dots: () => phone(path('M46 28h68'), rect(54, 13, 40, 9, 4.5, 'is-field'), circle(104, 13, 1.6, 'is-dot'), circle(104, 17.5, 1.6, 'is-dot'), circle(104, 22, 1.6, 'is-dot'), circle(104, 17.5, 11, 'is-ring'), bar(56, 40, 40), bar(56, 50, 30)),
  installEntry: () => phone(path('M46 28h68'), rect(60, 32, 52, 64, 6, 'is-field'), bar(67, 41, 30), bar(67, 53, 24), bar(67, 65, 34, 'is-here-word'), bar(67, 77, 28), rect(63, 60, 46, 15, 4, 'is-ring')),
  addressIcon: () => browserWindow(path('M120 22v5m-2.500-2 2.500 2.500 2.500-2.500M116 29h8', 'is-here'), circle(120, 25, 11, 'is-ring'), bar(20, 48, 60), bar(20, 60, 44)),
  siteSettings: () => browserWindow(path('M44 23h6m2 0h2M44 27h2m2 0h6', 'is-here'), circle(49, 25, 11, 'is-ring'), rect(38, 42, 78, 46, 6, 'is-field'), bar(46, 50, 36), bar(46, 66, 30), rect(92, 63, 16, 10, 5, 'is-here'), circle(103, 68, 3, 'is-here')),
  ownWindow: () => [rect(20, 18, 120, 84, 8, 'is-frame'), path('M20 36h120M56 36v66'), circle(30, 27, 2.5), rect(70, 22, 20, 10, 5, 'is-app'), bar(28, 46, 20), bar(28, 56, 16), bar(66, 48, 50), bar(66, 58, 38)],
  systemSettings: () => [rect(20, 14, 120, 92, 8, 'is-frame'), bar(32, 26, 40), path('M20 40h120'), path('M36 50a6 6 0 0 1 12 0c0 6 2 7 2 7H34s2-1 2-7M40 60a2 2 0 0 0 4 0', 'is-here'), bar(60, 54, 34, 'is-here-word'), rect(110, 51, 18, 11, 5.5, 'is-here'), circle(122.5, 56.5, 3.5, 'is-here'), path('M20 74h120'), bar(60, 84, 40)],
  fileMenu: () => browserWindow(rect(12, 4, 22, 9, 3, 'is-ring'), bar(16, 6, 14, 'is-here-word'), rect(12, 16, 64, 44, 6, 'is-field'), bar(19, 25, 30), bar(19, 37, 40, 'is-here-word'), bar(19, 49, 34)),
};

/** A drawing of this name. It says nothing that the step beside it does not. */
export const drawing = (name) => part('svg', { viewBox: '0 0 160 120', class: 'drawing', 'aria-hidden': 'true' }, ...DRAWINGS[name]());
