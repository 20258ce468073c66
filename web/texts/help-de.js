// The texts of the help with notifications and installing, in German.

const icon = 'das Zeichen links von der Adresse';

export const words = {
  help: {
    steps: 'Schritt für Schritt',
    systems: { ios: 'iPhone und iPad', android: 'Android', windows: 'Windows', mac: 'Mac', linux: 'Linux', desktop: 'Computer' },
    browsers: { chrome: 'Chrome', edge: 'Edge', opera: 'Opera', samsung: 'Samsung Internet', firefox: 'Firefox', safari: 'Safari', other: 'anderer Browser' },
    on: (browser, system) => `${browser} auf ${system}`,
    blocked: 'So erlaubst du sie', blockedElsewhere: 'In einem anderen Browser',
    allow: {
      desktop: [`Drück auf ${icon}.`, 'Stell „Benachrichtigungen“ auf „Zulassen“.', 'Lade diese Seite neu und schalte sie ein.'],
      firefox: [`Drück auf ${icon}, das durchgestrichen ist.`, 'Nimm „Blockiert“ neben „Benachrichtigungen senden“ weg.', 'Lade diese Seite neu und schalte sie ein.'],
      safari: ['Öffne im Menü „Safari“ die „Einstellungen“, dann „Websites“.', 'Wähle „Mitteilungen“ und stell diese Adresse auf „Erlauben“.', 'Lade diese Seite neu und schalte sie ein.'],
      android: [`Tipp auf ${icon}, dann auf „Berechtigungen“.`, 'Erlaube „Benachrichtigungen“.', 'Lade diese Seite neu und schalte sie ein.'],
      samsung: ['Öffne das Menü des Browsers, dann „Einstellungen“, „Websites und Downloads“, „Benachrichtigungen“.', 'Erlaube diese Adresse.', 'Lade diese Seite neu und schalte sie ein.'],
      ios: (app) => ['Öffne die Einstellungen des Geräts, dann „Mitteilungen“.', `Wähle „${app}“ und erlaube Mitteilungen.`, 'Komm hierher zurück und schalte sie ein.'],
      app: (app) => [`Halte das Zeichen von „${app}“ auf dem Startbildschirm gedrückt, dann „App-Info“, „Benachrichtigungen“.`, 'Erlaube sie.', 'Komm hierher zurück und schalte sie ein.'],
    },
    nothingComes: 'Sie sind an, und nichts kommt?', nothingLead: 'Schick diesem Gerät unten einen Test. Kommt er nicht an, schweigt das Gerät selbst:',
    system: {
      ios: (app) => [`Einstellungen, „Mitteilungen“, „${app}“: erlauben, mit Tönen und Bannern.`, 'Ein Fokus wie „Nicht stören“ hält sie zurück: Sieh im Kontrollzentrum nach.'],
      android: (app) => [`Einstellungen, „Benachrichtigungen“, „App-Benachrichtigungen“: den Browser erlauben, oder „${app}“, wenn es installiert ist.`, 'Einstellungen, „Akku“: Das System soll den Browser nicht schlafen legen.', '„Nicht stören“ hält sie zurück.'],
      windows: () => ['Einstellungen, „System“, „Benachrichtigungen“: an, auch für den Browser.', '„Nicht stören“ und „Fokus“ halten sie zurück.', 'Der Browser muss laufen, und sei es im Hintergrund.'],
      mac: () => ['Systemeinstellungen, „Mitteilungen“: den Browser erlauben, mit Bannern.', 'Ein Fokus wie „Nicht stören“ hält sie zurück.', 'Chrome, Edge und Firefox müssen laufen.'],
      linux: () => ['In den Einstellungen der Oberfläche, „Benachrichtigungen“: an, auch für den Browser.', '„Nicht stören“ hält sie zurück.', 'Der Browser muss laufen.'],
    },
    installs: {
      ios: (app) => ['Öffne diese Seite in Safari und tipp auf das Zeichen zum Teilen.', 'Wähle „Zum Home-Bildschirm“.', `Öffne „${app}“ vom Home-Bildschirm aus, melde dich an und schalte Benachrichtigungen ein.`],
      android: (app) => ['Tipp auf die drei Punkte des Browsers.', 'Wähle „App installieren“ oder „Zum Startbildschirm hinzufügen“.', `Öffne „${app}“ vom Startbildschirm aus.`],
      desktop: (app) => ['Drück auf das Zeichen rechts von der Adresse; in manchen Browsern steht „Installieren“ im Menü.', `„${app}“ bekommt ein eigenes Fenster und ein eigenes Zeichen.`],
      safari: (app) => ['Wähle im Menü „Ablage“ den Eintrag „Zum Dock hinzufügen“.', `„${app}“ bekommt ein eigenes Fenster und ein eigenes Zeichen.`],
      firefox: () => ['Firefox installiert auf Computern keine Apps aus Seiten. Chrome, Edge und Safari können es; Benachrichtigungen kommen auch in Firefox.'],
    },
    installElsewhere: 'Auf einem anderen Gerät',
  },
};
