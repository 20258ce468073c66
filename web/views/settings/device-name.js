// A device's name and icon, from its user agent.

import { texts } from '../../texts.js';

// The order matters: most browsers also claim to be those after them in the list.
const BROWSERS = [['Edg', 'Edge'], ['OPR', 'Opera'], ['SamsungBrowser', 'Samsung Internet'], ['FxiOS', 'Firefox'], ['Firefox', 'Firefox'], ['CriOS', 'Chrome'], ['Chrome', 'Chrome'], ['Safari', 'Safari']];
const SYSTEMS = [['Android', 'Android'], ['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Windows', 'Windows'], ['CrOS', 'ChromeOS'], ['Mac OS', 'macOS'], ['Linux', 'Linux']];
const LONGEST = 60;

const named = (list, agent) => list.find(([word]) => agent.includes(word))?.[1];

export function deviceName(agent) {
  const browser = named(BROWSERS, agent);
  const system = named(SYSTEMS, agent);
  if (browser && system) return texts.settings.devices.on(browser, system);
  return browser || system || agent.slice(0, LONGEST) || texts.settings.devices.unknown;
}

/** The device's icon. */
export const deviceIcon = (agent) => (/Mobile|Android|iPhone|iPad/.test(agent) ? 'phone' : 'device');
