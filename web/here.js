// Which browser and system this is, for help that differs by them. Nothing else may depend on it.

// The order matters: most browsers also claim to be those after them in the list.
const BROWSERS = [['edge', /\bEdgA?\/|EdgiOS/], ['opera', /\bOPR\/|OPiOS/], ['samsung', /SamsungBrowser/], ['firefox', /Firefox|FxiOS/], ['chrome', /Chrome|CriOS/], ['safari', /Safari/]];

/** `{browser, system}`: `chrome`, `edge`, `opera`, `samsung`, `firefox`, `safari` or `other`; `ios`, `android`, `windows`, `mac` or `linux`. An iPad says that it is a Mac, but can be touched. */
export function whereIs(agent, touchPoints = 0) {
  const browser = BROWSERS.find(([, sign]) => sign.test(agent))?.[0] || 'other';
  const isApple = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1);
  const system = isApple ? 'ios' : /Android/.test(agent) ? 'android' : /Windows/.test(agent) ? 'windows' : /Macintosh|Mac OS X/.test(agent) ? 'mac' : 'linux';
  return { browser, system };
}

export const here = () => whereIs(navigator.userAgent, navigator.maxTouchPoints);
