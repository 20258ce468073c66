// The texts of the help with notifications and installing, in English. `help-de.js` has the same keys.

const icon = 'the sign at the left of the address';

export const words = {
  help: {
    steps: 'Step by step',
    systems: { ios: 'iPhone and iPad', android: 'Android', windows: 'Windows', mac: 'Mac', linux: 'Linux', desktop: 'Computer' },
    browsers: { chrome: 'Chrome', edge: 'Edge', opera: 'Opera', samsung: 'Samsung Internet', firefox: 'Firefox', safari: 'Safari', other: 'another browser' },
    on: (browser, system) => `${browser} on ${system}`,
    blocked: 'How to allow them', blockedElsewhere: 'In another browser',
    allow: {
      desktop: [`Press ${icon}.`, 'Set “Notifications” to “Allow”.', 'Reload this page, and turn them on.'],
      firefox: [`Press ${icon}, which is crossed out.`, 'Take away “Blocked” beside “Send notifications”.', 'Reload this page, and turn them on.'],
      safari: ['In the menu “Safari”, open “Settings”, then “Websites”.', 'Choose “Notifications”, and set this address to “Allow”.', 'Reload this page, and turn them on.'],
      android: [`Tap ${icon}, then “Permissions”.`, 'Allow “Notifications”.', 'Reload this page, and turn them on.'],
      samsung: ['Open the menu of the browser, then “Settings”, “Sites and downloads”, “Notifications”.', 'Allow this address.', 'Reload this page, and turn them on.'],
      ios: (app) => ['Open the Settings of the device, then “Notifications”.', `Choose “${app}”, and allow notifications.`, 'Come back here, and turn them on.'],
      app: (app) => [`Hold the icon of “${app}” on the home screen, then choose “App info”, “Notifications”.`, 'Allow them.', 'Come back here, and turn them on.'],
    },
    nothingComes: 'They are on, and nothing comes?', nothingLead: 'Send a test to this device, below. If it does not come, the device itself is silent:',
    system: {
      ios: (app) => [`Settings, “Notifications”, “${app}”: allow them, with sounds and banners.`, 'A focus such as “Do Not Disturb” holds them back: look in the Control Centre.'],
      android: (app) => [`Settings, “Notifications”, “App notifications”: allow the browser, or “${app}” if it is installed.`, 'Settings, “Battery”: do not let the system put the browser to sleep.', '“Do not disturb” holds them back.'],
      windows: () => ['Settings, “System”, “Notifications”: on, and on for the browser.', '“Do not disturb” and “Focus” hold them back.', 'The browser has to run, if only in the background.'],
      mac: () => ['System Settings, “Notifications”: allow the browser, with banners.', 'A focus such as “Do Not Disturb” holds them back.', 'Chrome, Edge and Firefox have to run.'],
      linux: () => ['In the settings of the desktop, “Notifications”: on, and on for the browser.', '“Do Not Disturb” holds them back.', 'The browser has to run.'],
    },
    installs: {
      ios: (app) => ['Open this page in Safari, and tap the sign for sharing.', 'Choose “Add to Home Screen”.', `Open “${app}” from the home screen, sign in, and turn notifications on.`],
      android: (app) => ['Tap the three dots of the browser.', 'Choose “Install app” or “Add to Home screen”.', `Open “${app}” from the home screen.`],
      desktop: (app) => ['Press the sign at the right of the address; in some browsers “Install” is in the menu.', `“${app}” gets a window and an icon of its own.`],
      safari: (app) => ['In the menu “File”, choose “Add to Dock”.', `“${app}” gets a window and an icon of its own.`],
      firefox: () => ['Firefox on computers installs no apps from pages. Chrome, Edge and Safari do; notifications come in Firefox too.'],
    },
    installElsewhere: 'On another device',
  },
};
