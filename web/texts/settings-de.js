// The texts of the settings in German.

const plural = (count, one, many) => `${count.toLocaleString('de')} ${count === 1 ? one : many}`;

export const words = {
  settings: {
    title: 'Einstellungen', sections: 'Bereiche der Einstellungen', you: 'Du', team: 'Das Team', back: 'Alle Einstellungen', signOut: 'Abmelden',
    noSection: 'Diesen Bereich gibt es nicht', noSectionHint: 'Vielleicht ist es einer für die Verwaltung.',
    names: {
      profile: 'Profil', devices: 'Geräte', notifications: 'Mitteilungen', appearance: 'Aussehen', tokens: 'API-Schlüssel', about: 'Über Campfire',
      account: 'Team', invite: 'Einladungen', people: 'Leute', signins: 'Anmeldungen', bots: 'Bots', hooks: 'Webhooks', emoji: 'Emoji', css: 'Eigener Stil', jobs: 'Hintergrundaufgaben', audit: 'Protokoll',
    },
    once: 'Kopiere es jetzt. Es wird nur dieses eine Mal gezeigt.', kept: 'Ich habe es verwahrt', share: 'Teilen',
    crop: {
      stage: 'Der Ausschnitt deines Bildes', zoom: 'Vergrößerung', save: 'Dieses Bild nehmen', hint: 'Zieh das Bild, oder verschiebe es mit den Pfeiltasten. Größer und kleiner mit + und −.',
      unreadable: 'Das ist kein Bild, das dein Browser lesen kann. Versuch es mit PNG oder JPEG.',
    },
    profile: {
      lead: 'So sehen dich die anderen.', changePicture: 'Bild ändern', removePicture: 'Entfernen', pictureHint: 'Du kannst auch ein Bild hierher ziehen oder einfügen.',
      crop: 'Dein Bild', pictureSaved: 'Dein Bild ist gespeichert.', pictureRemoved: 'Dein Bild ist entfernt.',
      aboutYou: 'Über dich', name: 'Name', nameHint: 'Mit diesem Namen erwähnen dich die anderen.', bio: 'Ein paar Worte über dich', bioHint: 'Steht in deinem Profil.', count: (used, most) => `${used} von ${most} Zeichen`,
      signIn: 'Anmeldung', signInLead: 'Um zu ändern, womit du dich anmeldest, gib auch dein jetziges Passwort ein.', email: 'E-Mail', newPassword: 'Neues Passwort', newPasswordHint: 'Lass es leer, um das alte zu behalten. Mindestens acht Zeichen; deine anderen Geräte werden abgemeldet, und deine API-Tokens enden.',
      currentPassword: 'Jetziges Passwort', currentPasswordHint: 'Damit dich niemand aussperrt, der diese Seite offen vorfindet.', saveSignIn: 'Anmeldung ändern',
      leave: 'Das Team verlassen', leaveLead: 'Du wirst überall abgemeldet und verlässt jeden Raum. Was du gesagt hast, bleibt.', leaveButton: 'Mein Konto deaktivieren', leaveQuestion: 'Dein Konto deaktivieren?', leaveDetail: 'Deine E-Mail ist dann wieder frei, du könntest also mit einer Einladung neu beitreten. Das lässt sich nicht rückgängig machen.',
      accounts: 'Konten anderswo', accountsLead: 'Melde dich mit einem Konto an, das du schon hast. Ein verknüpftes öffnet dieses hier.', link: (name) => `${name} verknüpfen`, unlink: 'Trennen', unlinked: (name) => `${name} ist getrennt.`,
      confirmUnlink: (name) => `${name} trennen?`, confirmUnlinkDetail: 'Geräte, auf denen du damit angemeldet bist, werden abgemeldet, dieses nicht.', signInFresh: 'Du hast hier kein Passwort. Um das zu ändern, melde dich zuerst ab und wieder an: Das weist dich zehn Minuten lang aus.',
    },
    devices: {
      lead: 'Überall, wo du angemeldet bist. Erkennst du eines nicht, melde es ab und ändere dein Passwort.', thisOne: 'Dieses Gerät', unknown: 'Ein unbekanntes Gerät', on: (browser, system) => `${browser} auf ${system}`,
      lastUsed: 'Zuletzt benutzt', since: (when) => `Angemeldet am ${when}`, signOut: 'Abmelden', signedOut: (name) => `${name} ist abgemeldet.`,
      signOutOthers: 'Alle anderen Geräte abmelden', othersSignedOut: 'Alle anderen Geräte sind abgemeldet.', confirmOthers: (count) => `${plural(count, 'anderes Gerät', 'andere Geräte')} abmelden?`, confirmOthersDetail: 'Dort musst du dich mit deinem Passwort neu anmelden. Hier bleibst du angemeldet.',
      transfer: 'Auf deinem Telefon anmelden', transferLead: 'Ohne dein Passwort zu tippen: Zeig hier einen Code an, und richte die Kamera deines Telefons darauf.', makeCode: 'Code zeigen', hideCode: 'Verbergen', qr: 'QR-Code, der ein anderes Gerät anmeldet',
      steps: ['Öffne die Kamera deines Telefons.', 'Richte sie auf diesen Code.', 'Öffne den Link, der erscheint.'], expires: (when) => `Gilt einmal, bis ${when}. Wer ihn öffnet, ist als du angemeldet: Zeig ihn niemandem.`, link: 'Oder öffne diesen Link auf dem anderen Gerät',
    },
    secondFactor: {
      title: 'Zweiter Schritt', lead: 'Ein Code aus einer App zusätzlich zum Passwort. Wer dein Passwort erfährt, kommt damit allein nicht herein.', turnOn: 'Zweiten Schritt einschalten', turnOff: 'Ausschalten', on: 'an', app: 'Codes aus einer App', since: (when) => `Eingeschaltet ${when}`,
      left: (count) => (count ? `Noch ${plural(count, 'Ersatzcode', 'Ersatzcodes')}` : 'Keine Ersatzcodes mehr: Mach neue.'), required: 'Wer sich hier mit einem Passwort anmeldet, braucht ihn.', renew: 'Neue Ersatzcodes', anew: 'Neu einrichten',
      appLead: 'Du brauchst eine App für Codes, auf dem Telefon oder in deinem Passwortmanager.', next: 'Weiter', codeHint: 'Aus deiner App, oder ein Ersatzcode.', renewLead: 'Die Ersatzcodes, die du hast, gelten dann nicht mehr.',
      turnOffTitle: 'Den zweiten Schritt ausschalten?', turnOffLead: 'Dann kommst du mit dem Passwort allein herein.', isOff: 'Der zweite Schritt ist aus.',
    },
    notifications: {
      lead: 'Was dich rufen darf, und wo.', here: 'Auf diesem Gerät',
      states: { unsupported: 'Nicht in diesem Browser.', needsTls: 'Nicht unter dieser Adresse.', denied: 'Gesperrt.', off: 'Aus.', on: 'An.' },
      statesHow: {
        unsupported: 'Er kann keine Mitteilungen einer Seite zeigen. Auf iPhone und iPad leg Campfire zuerst auf den Home-Bildschirm, und öffne es von dort.',
        needsTls: 'Browser erlauben Mitteilungen nur, wo die Adresse mit https beginnt. Bitte, wer diesen Server betreibt, ein Zertifikat einzurichten.',
        denied: 'Deinem Browser wurde gesagt, dass er von dieser Seite keine Mitteilungen zeigen soll. Öffne über das Zeichen neben der Adresse die Einstellungen der Seite, erlaube Mitteilungen, und lade sie neu.',
        off: 'Damit erfährst du von Erwähnungen und Direktnachrichten, auch wenn Campfire geschlossen ist.',
        on: 'Dieses Gerät meldet dir neue Nachrichten, auch wenn Campfire geschlossen ist.',
      },
      enable: 'Einschalten', disable: 'Ausschalten', devices: 'Deine Geräte mit Mitteilungen', devicesLead: 'Jedes wird einzeln benachrichtigt.', noDevices: 'Noch keines. Schalte Mitteilungen oben ein, auf jedem Gerät, auf dem du sie möchtest.',
      since: 'Eingeschaltet', refused: (service, status) => `${service} hat die letzte Mitteilung abgelehnt (${status})`, services: { apple: 'Apple', google: 'Google', mozilla: 'Mozilla', microsoft: 'Microsoft' }, test: 'Probe senden', tested: 'Eine Probe ist unterwegs.', remove: 'Entfernen', removed: (name) => `${name} bekommt keine Mitteilungen mehr.`,
      mail: {
        title: 'Mail', lead: 'Für Erwähnungen und Direktnachrichten, die kamen, während du weg warst, und die du nicht gelesen hast.', when: 'Wann', whenHint: (email) => `An ${email}. Warst du inzwischen hier, kommt keine Mail.`,
        atOnce: 'Sofort', away: (minutes) => `Wenn ich ${plural(minutes, 'Minute', 'Minuten')} weg bin`, daily: (time) => `Einmal am Tag, um ${time}`, never: 'Nie', noAddress: 'Du hast hier keine E-Mail-Adresse.',
        test: 'Mir eine Mail senden', tested: (email) => `Eine Mail an ${email} ist unterwegs.`, refused: 'Dir wird nichts gesendet: Deine Adresse hat eine Mail abgewiesen.', refusedHow: 'Wähle im Profil eine andere Adresse, oder lass es mit dieser noch einmal versuchen, sobald das behoben ist.', again: 'Noch einmal versuchen', againDone: 'Die nächste Mail geht wieder an diese Adresse.',
      },
      sounds: 'Klänge', soundsOn: 'Klänge der anderen spielen', soundsHint: 'Wenn jemand mit /play einen spielt, in dem Raum, den du gerade ansiehst.',
      bell: 'Was die Glocke bedeutet', bellLead: 'Jeder Raum hat oben eine Glocke. Sie hat vier Stellungen:',
      bells: { mentions: 'Erwähnungen', everything: 'Alles', nothing: 'Nichts', invisible: 'Ausgeblendet' },
      bellsHow: { mentions: 'Meldet sich, wenn dich jemand erwähnt.', everything: 'Meldet jede Nachricht.', nothing: 'Bleibt in deiner Liste und meldet sich nie.', invisible: 'Verschwindet aus deiner Liste und ist nie ungelesen. Du bist weiter darin.' },
      defaults: 'Räume beginnen mit „Erwähnungen“, Direktnachrichten mit „Alles“.',
      rooms: 'Raum für Raum', roomsLead: 'Auch ausgeblendete Räume stehen hier, damit du sie zurückholen kannst.', noRooms: 'Du bist noch in keinem Raum.', bellOf: (name) => `Glocke von ${name}`, roomSaved: (name, bell) => `${name}: ${bell}`,
    },
    appearance: {
      lead: 'Nur auf diesem Gerät. Deine anderen Geräte bleiben, wie sie sind.', theme: 'Hell oder dunkel', system: 'Wie das System', light: 'Hell', dark: 'Dunkel',
      language: 'Sprache', languageLead: 'Die Seite lädt neu in der Sprache, die du wählst. Was du zu schreiben begonnen hast, bleibt erhalten.', browsers: (name) => `Wie der Browser (${name})`,
    },
    tokens: {
      lead: 'Mit einem Schlüssel handelt ein Skript oder Programm in deinem Namen, überall, wo du es darfst. Mach für jedes einen eigenen, dann kannst du ihn einzeln zurücknehmen.',
      scope: 'Was er darf', scopes: { read: 'liest', write: 'liest und schreibt', admin: 'verwaltet' }, scopeHint: 'Gib ihm nicht mehr, als er braucht.',
      scopeMeans: { read: 'Nur lesen', write: 'Lesen und schreiben', admin: 'Alles, was du in der Verwaltung darfst' },
      new: 'Neuer Schlüssel', name: 'Name', nameExample: 'Deploy-Skript', nameHint: 'Wofür er ist, damit du ihn später wiedererkennst.', create: 'Schlüssel erstellen', made: (name) => `Der Schlüssel „${name}“`, token: 'Schlüssel', tryIt: 'Zum Probieren: deine Räume',
      yours: 'Deine Schlüssel', none: 'Noch keine Schlüssel. Du brauchst nur einen, wenn du Programme schreibst, die Campfire benutzen.', madeAt: 'Erstellt', lastUsed: 'zuletzt benutzt', unused: 'nie benutzt', revoke: 'Zurücknehmen', confirm: (name) => `Den Schlüssel „${name}“ zurücknehmen?`,
      confirmDetail: 'Was ihn benutzt, funktioniert sofort nicht mehr. Das lässt sich nicht rückgängig machen.', revoked: (name) => `Der Schlüssel „${name}“ ist zurückgenommen.`, reference: 'Alles, was die API kann (OpenAPI)',
    },
    about: {
      lead: 'Ein Ort, an dem dein Team redet, auf einem eigenen Server.', version: 'Version', uptime: 'Läuft seit', team: 'Team', licence: 'Lizenz', licenceText: 'MIT: frei zu benutzen, zu ändern und weiterzugeben',
      minutes: (count) => plural(count, 'Minute', 'Minuten'), hours: (count) => plural(count, 'Stunde', 'Stunden'), days: (count) => plural(count, 'Tag', 'Tagen'),
      keys: 'Mit der Tastatur', keysLead: 'Alles geht auch ohne Maus.', showKeys: 'Tastenkürzel zeigen',
      install: 'Als App', installLead: 'Campfire kann ein eigenes Fenster und ein eigenes Symbol haben.', installButton: 'App installieren', isInstalled: 'Du benutzt die installierte App.',
      installByHand: 'Im Menü deines Browsers gibt es „Installieren“ oder „Zum Home-Bildschirm“.', installNeedsTls: 'Dafür braucht es eine Adresse, die mit https beginnt.',
      developers: 'Zum Programmieren', developersLead: 'Alles, was diese Seite tut, geht über eine API, die auch deine Programme benutzen können.', reference: 'Beschreibung der API (OpenAPI)',
      export: 'Export', exportLead: 'Alles in einer Datei: Leute, Räume, Nachrichten und Einstellungen, ein JSON-Objekt je Zeile. Passwörter und Schlüssel sind nicht darin.', exportButton: 'Export herunterladen',
    },
  },
  admin: {
    account: {
      lead: 'Name und Aussehen eures Teams, und was für alle gilt.', logo: 'Logo', changeLogo: 'Logo ändern', removeLogo: 'Entfernen', logoHint: 'Steht neben dem Namen, über der Anmeldung und auf der installierten App. Du kannst auch eines hierher ziehen oder einfügen.', logoHintTouch: 'Steht neben dem Namen, über der Anmeldung und auf der installierten App.', logoSaved: 'Das Logo ist gespeichert.', logoRemoved: 'Das Logo ist entfernt.',
      name: 'Name', nameHint: 'Alle sehen ihn über ihren Räumen.', rules: 'Wer was darf', restrict: 'Nur die Verwaltung legt Räume an', restrictHint: 'Direkt schreiben können sich weiterhin alle.',
      membersInvite: 'Mitglieder dürfen einladen', membersInviteHint: 'Mit Einladungen, die enden, in die offenen Räume und in geschlossene, die sie selbst angelegt haben.', secondStep: 'Einen zweiten Schritt brauchen', secondStepOf: { nobody: 'Niemand', administrators: 'Die Verwaltung', everybody: 'Alle' }, secondStepHint: 'Wer sich mit einem Passwort anmeldet und keinen hat, richtet ihn bei der nächsten Anmeldung ein. Bots, API-Schlüssel und Anmeldungen über einen Dienst betrifft es nicht.', membersJoinLink: 'Mitglieder sehen den Einladungslink', membersJoinLinkHint: 'Wer ihn hat, kann beitreten, bis du einen neuen machst. Gäste sehen ihn nie.',
      retention: 'Wie lange Nachrichten bleiben', retentionLead: 'Für alle, in jedem Raum, auch in den direkten.', keepAll: 'Für immer', keepAllHint: 'Nichts verschwindet, solange es niemand löscht.', keepSome: 'Eine Zeit lang', keepSomeHint: 'Ältere Nachrichten und ihre Dateien werden endgültig entfernt.',
      days: 'Anzahl der Tage', daysHint: '365 sind ein Jahr, 90 ein Vierteljahr. Höchstens 36.500.', daysWrong: 'muss eine ganze Zahl von 1 bis 36.500 sein', confirmDays: (days) => `Alles entfernen, was älter ist als ${plural(days, 'Tag', 'Tage')}?`, confirmDaysButton: 'Ältere Nachrichten entfernen',
      confirmDaysDetail: (days) => `Nachrichten und Dateien, die älter sind als ${plural(days, 'Tag', 'Tage')}, werden jetzt entfernt, und künftig, sobald sie so alt sind. Niemand kann sie zurückholen.`, notSaved: 'Es wurde nichts geändert.',
    },
    invite: {
      lead: 'Der Einladungslink ist für das ganze Team und bleibt. Einladungen sind für jemand Bestimmten und enden.', how: 'Schick den Link weiter, oder lass andere die Kamera ihres Telefons auf den Code richten.', howMuch: 'Er gilt für beliebig viele Leute, bis du einen neuen machst.',
      qr: 'QR-Code des Einladungslinks', link: 'Einladungslink', shareTitle: (team) => `Komm zu ${team}`, renew: 'Ein neuer Link', renewLead: 'Ist der Link in falsche Hände geraten, ersetze ihn. Wer schon dabei ist, bleibt dabei.', renewButton: 'Neuen Link machen', confirm: 'Den Einladungslink ersetzen?',
      confirmDetail: 'Der alte Link und sein Code gelten sofort nicht mehr, auch für die, die ihn haben und noch nicht benutzt haben.', renewed: 'Es gibt einen neuen Einladungslink.',
    },
    people: {
      identities: 'Anmeldung', identitiesOf: (name) => `So meldet sich ${name} an`, hasPassword: 'Mit einem Passwort.', hasNoPassword: 'Ohne Passwort.', unlink: 'Trennen', unlinkHint: 'Wer sich mit einem getrennten Konto anmeldet, ist fremd: Eine geprüfte E-Mail-Adresse führt zum alten Konto zurück, sonst entsteht ein neues.',
      lead: 'Mitglieder reden; die Verwaltung kümmert sich auch um das Team. Gäste sehen nur die Räume, in denen sie sind, und nur die Leute darin.', find: 'Nach Name oder E-Mail suchen', which: 'Wer gezeigt wird',
      kinds: { everybody: 'Alle', admins: 'Verwaltung', guests: 'Gäste', unclaimed: 'Noch nie angemeldet', gone: 'Deaktivierte', banned: 'Verbannte' },
      noneOf: { everybody: 'Niemand ist hier.', admins: 'Niemand ist in der Verwaltung.', guests: 'Es gibt keine Gäste.', unclaimed: 'Alle haben sich angemeldet.', gone: 'Niemand wurde deaktiviert.', banned: 'Niemand ist verbannt, und so darf es bleiben.' },
      nobody: 'Niemand mit diesem Namen oder dieser E-Mail.', count: (count) => plural(count, 'Person', 'Personen'), more: (count) => `und ${count} weitere: Tippe, um sie einzugrenzen`,
      admin: 'Verwaltung', guest: 'Gast', deactivated: 'Deaktiviert', banned: 'Verbannt', messagesStay: { deactivated: 'Was gesagt wurde, bleibt.', banned: 'Nachrichten sind entfernt, Adressen gesperrt.' }, actions: (name) => `Was mit ${name} geschehen soll`,
      unclaimed: 'Hat sich noch nicht angemeldet', invite: 'Einladen', inviteTitle: (name) => `${name} einladen`, inviteLead: 'Dieses Konto kam aus einem anderen Chat. Wer den Link öffnet, wählt dafür E-Mail und Passwort.',
      inviteExpires: (when) => `Gilt einmal, bis ${when}. Schick ihn niemand anderem: Wer ihn hat, übernimmt das Konto.`, inviteLink: 'Einladung', inviteMail: (email) => `Mail an ${email} senden`, inviteMailed: (email) => `Eine Mail an ${email} ist unterwegs. Der Link darin ersetzt den, den du gesehen hast.`,
      edit: 'Bearbeiten', editTitle: (name) => `${name} bearbeiten`, name: 'Name', email: 'E-Mail', password: 'Neues Passwort', passwordHint: 'Nur, wenn das alte verloren ist; sonst leer lassen. Die Person wird überall abgemeldet.',
      makeAdmin: 'In die Verwaltung aufnehmen', confirmAdmin: (name) => `${name} in die Verwaltung aufnehmen?`, confirmAdminDetail: 'Die Verwaltung kann jeden Raum und jede Nachricht, die sie sieht, ändern und löschen, sich um Leute und Bots kümmern, alles exportieren und auch dir diese Rechte nehmen.',
      makeMember: 'Aus der Verwaltung nehmen', confirmMember: (name) => `${name} aus der Verwaltung nehmen?`, confirmMemberDetail: 'Die Person bleibt in allen ihren Räumen und verliert diese Einstellungen des Teams.', confirmMemberMe: 'Du verlierst diese Einstellungen sofort. Nur eine andere Person aus der Verwaltung kann sie dir zurückgeben.',
      makeGuest: 'Zum Gast machen', guestTitle: (name) => `${name} zum Gast machen?`, guestLead: 'Ein Gast sieht nur die hier gewählten Räume und nur die Leute darin. Alle anderen Räume verlässt die Person, auch solche, in denen du nicht bist; Direktnachrichten bleiben.', guestRooms: 'Räume, die bleiben', guestNoRooms: 'Ihr habt keinen Raum gemeinsam: Die Person wird in keinem sein.',
      guestToMember: 'Zum Mitglied machen', confirmGuestToMember: (name) => `${name} zum Mitglied machen?`, confirmGuestToMemberDetail: 'Die Person kommt in jeden offenen Raum, mit allem, was dort je gesagt wurde, und sieht alle Leute.',
      signInLink: 'Link zum Anmelden', linkTitle: (name) => `Ein Link für ${name}`, linkLead: 'Für jemanden, der das Passwort verloren hat: Wer ihn öffnet, wählt ein neues und ist angemeldet. Alle anderen Geräte werden dann abgemeldet.', linkExpires: (when) => `Gilt einmal, bis ${when}. Wer ihn hat, kommt in das Konto: Schick ihn niemand anderem.`, link: 'Link', sessions: 'Geräte und Tokens',
      deactivate: 'Deaktivieren', confirmDeactivate: (name) => `${name} deaktivieren?`, confirmDeactivateDetail: 'Die Person wird überall abgemeldet und verlässt jeden Raum. Was sie gesagt hat, bleibt. Ihre E-Mail ist wieder frei, sie könnte also neu beitreten. Das lässt sich nicht rückgängig machen.',
      ban: 'Verbannen', confirmBan: (name) => `${name} verbannen?`, confirmBanDetail: 'Die Person wird überall abgemeldet, alles, was sie je gesagt hat, wird endgültig entfernt, und von den Internetadressen, von denen sie kam, kann sich niemand mehr anmelden oder schreiben. Du kannst den Bann aufheben, aber das Gesagte kommt nicht zurück.',
      lift: 'Bann aufheben', confirmLift: (name) => `${name} wieder hereinlassen?`, confirmLiftDetail: 'Die Person kann sich wieder anmelden, und ihre Adressen sind nicht mehr gesperrt. Die entfernten Nachrichten bleiben entfernt.',
    },
    invitations: {
      title: 'Einladungen', lead: 'Jede ist ein Link für so viele Leute und so viele Tage, für Mitglieder oder für Gäste einiger Räume.', new: 'Neue Einladung', none: 'Noch keine Einladungen.', qr: 'QR-Code des Links', link: 'Einladung',
      whom: 'Wer kommt', asMember: 'Mitglieder', asMemberHint: 'Sie sind in jedem offenen Raum und sehen alle Leute.', asGuest: 'Gäste', asGuestHint: 'Sie sehen nur die hier gewählten Räume und nur die Leute darin.',
      guestRooms: 'Ihre Räume', memberRooms: 'Geschlossene Räume, in die sie auch kommen', noRooms: 'Es gibt keinen Raum, in den du Gäste einladen darfst.', chooseRoom: 'Wähle einen Raum: Einen anderen sieht ein Gast nicht.',
      uses: 'Für wie viele Leute', usesHint: 'Höchstens 1.000.', days: 'Für wie viele Tage', daysHint: 'Höchstens 90.', note: 'Notiz', email: 'Per Mail an', emailHint: 'Wenn du magst: Der Link geht auch dorthin.', mailed: (email) => `Die Einladung ist unterwegs zu ${email}.`, noteHint: 'Für diese Liste: für wen sie ist.', make: 'Link machen', shown: (uses, when) => `Gilt für ${uses === '1' ? 'eine Person' : `${uses} Leute`}, bis ${when}. Er wird nur dieses eine Mal gezeigt.`,
      forMembers: 'Für Mitglieder', forGuests: 'Für Gäste', forPerson: (name) => `Für ${name}`, rooms: (names) => `In ${names.join(', ')}`, otherRoom: 'einen Raum, in dem du nicht bist', used: (uses, most) => `${uses} von ${most} benutzt`, until: (when) => `bis ${when}`, by: (name) => `Von ${name}`, host: 'Auf dem Server selbst',
      works: 'Gilt', isUsed: 'Aufgebraucht', isOver: 'Abgelaufen', wasRevoked: 'Zurückgenommen', revoke: 'Zurücknehmen', confirmRevoke: 'Diese Einladung zurücknehmen?', confirmRevokeDetail: 'Der Link gilt sofort nicht mehr. Wer damit beigetreten ist, bleibt.', revoked: 'Die Einladung ist zurückgenommen.',
    },
    signIns: {
      lead: 'Wie sich alle anmelden, und wann sie zuletzt da waren.', hasPassword: 'Passwort', noPassword: 'Kein Passwort', lastSeen: 'Zuletzt da', neverSeen: 'Noch nie da', has: (devices, tokens) => `${plural(devices, 'Gerät', 'Geräte')}${tokens ? `, ${plural(tokens, 'Token', 'Tokens')}` : ''}`, count: (count) => plural(count, 'Person', 'Personen'),
      methods: { password: 'Mit dem Passwort angemeldet', transfer: 'Von einem anderen Gerät aus angemeldet', reset: 'Mit einem Link für ein neues Passwort angemeldet', join: 'Mit dem Einladungslink beigetreten', invitation: 'Mit einer Einladung beigetreten', setup: 'Hat das Team eingerichtet', provider: 'Über einen Anmeldedienst angemeldet', code: 'Zweiter Schritt' }, secondStep: 'Zweiter Schritt', noSecondStep: 'Kein zweiter Schritt', removeSecondStep: 'Zweiten Schritt entfernen', confirmSecondStep: (name) => `Den zweiten Schritt von ${name} entfernen?`, confirmSecondStepDetail: 'Für jemanden, der die App und die Ersatzcodes verloren hat. Prüfe, dass wirklich diese Person darum bittet. Alle ihre Geräte werden abgemeldet, und das Passwort allein lässt sie herein.',
      sessions: 'Geräte', sessionsOf: (name) => `Wo ${name} angemeldet ist`, noSessions: 'Nirgends angemeldet.', token: 'API-Token', since: (when) => `Seit ${when}`, end: 'Abmelden', ended: 'Abgemeldet.', endAll: 'Überall abmelden', confirmEndAll: (name) => `${name} überall abmelden?`, confirmEndAllDetail: 'Alle Geräte werden abgemeldet, alle API-Tokens und Links enden. Die Person kann sich wieder anmelden.',
      failed: 'Fehlgeschlagene Versuche', failedLead: 'Nach Tag, Konto und Netz gezählt und 30 Tage aufgehoben. Was getippt wurde, wird nicht aufgehoben.', noneFailed: 'Niemandem ist die Anmeldung misslungen.', noAccount: 'Kein Konto mit dieser E-Mail', attempts: (count, network) => `${plural(count, 'Versuch', 'Versuche')} von ${network}`, lastAttempt: 'Der letzte',
    },
    bots: {
      lead: 'Bots sind Programme, die mitreden. Jeder hat einen Schlüssel zum Schreiben und, wenn du magst, eine Adresse, die erfährt, wenn jemand ihn erwähnt. Bots, die für Campfire von 37signals geschrieben sind, laufen unverändert.',
      new: 'Neuer Bot', name: 'Name', nameExample: 'Wetter', webhook: 'Webhook-Adresse (freiwillig)', webhookHint: 'Wird bei jeder Nachricht aufgerufen, die den Bot erwähnt, und bei jeder in einem direkten Raum mit ihm. Was sie antwortet, erscheint als seine Antwort.',
      create: 'Bot erstellen', hello: 'Hallo', keyOf: (name) => `Der Schlüssel von ${name}`, key: 'Schlüssel', room: 'Hallo sagen in', tryIt: 'Zum Probieren', yours: 'Eure Bots', none: 'Noch keine Bots. Ein paar Zeilen Skript genügen für einen, der guten Morgen sagt.', calls: 'Ruft', callsNothing: 'Ruft keine Adresse auf',
      actions: (name) => `Was mit ${name} geschehen soll`, edit: 'Bearbeiten', editTitle: (name) => `${name} bearbeiten`, crop: 'Das Bild des Bots', renew: 'Neuer Schlüssel', confirmRenew: (name) => `Einen neuen Schlüssel für ${name} machen?`, confirmRenewDetail: 'Der alte Schlüssel gilt sofort nicht mehr. Der neue wird einmal gezeigt.',
      remove: 'Entfernen', confirmRemove: (name) => `${name} entfernen?`, confirmRemoveDetail: 'Der Schlüssel gilt nicht mehr, und der Bot verlässt jeden Raum. Was er gesagt hat, bleibt.', removed: (name) => `${name} ist entfernt.`,
      where: 'Wo Bots sind', whereLines: ['Ein Bot ist von Anfang an in jedem offenen Raum.', 'In einen geschlossenen Raum kommt er wie ein Mensch: Öffne die Einstellungen des Raums, und nimm ihn unter die Mitglieder auf.', 'Schreib ihm direkt, und er erfährt jedes Wort, wenn er einen Webhook hat.', 'Die Nummer eines Raums steht in seiner Adresse: /rooms/7.'],
    },
    hooks: {
      lead: 'Ein Webhook ist eine Adresse für einen Raum. Was ein Dienst in Slacks Format dorthin sendet, erscheint im Raum: Alarme, Auslieferungen, Formulare. Bei Diensten, die Slack kennen, kommt diese Adresse dorthin, wo die von Slack stünde.',
      new: 'Neuer Webhook', name: 'Name', nameExample: 'Grafana', nameHint: 'Seine Nachrichten tragen diesen Namen.', room: 'Raum', format: 'Format', formatOf: (name) => `Format von ${name}`, formats: { auto: 'Von selbst erkennen', slack: 'Slack', markdown: 'Markdown (Mattermost)' }, formatHint: 'Wie der Dienst seine Texte auszeichnet. Von selbst stimmt es fast immer.', formatSaved: 'Gespeichert.', create: 'Webhook erstellen', made: (name) => `Die Adresse von „${name}“`, address: 'Adresse', tryIt: 'Zum Probieren', hello: 'Hallo',
      yours: 'Eure Webhooks', none: 'Noch keine Webhooks. Überwachung, Builds und Läden können sich alle in einem Raum melden.', into: 'In', elsewhere: 'einen Raum, in dem du nicht bist', confirm: (name) => `Den Webhook „${name}“ löschen?`, confirmDetail: 'Was an seine Adresse gesendet wird, wird von nun an abgewiesen. Was er gesagt hat, bleibt.', removed: (name) => `Der Webhook „${name}“ ist gelöscht.`,
    },
    emoji: {
      lead: 'Eigene Bilder. Schreib den Namen zwischen Doppelpunkte, oder wähle sie wie jedes andere Emoji aus.', new: 'Neues Emoji', name: 'Name', nameHint: 'Kleine Buchstaben, Ziffern und die Zeichen _ - +. Gibt es den Namen schon, wird das Bild ersetzt.',
      picture: 'Bild', pictureHint: 'PNG, GIF, JPEG oder WebP. Bis 256 KB und 512 Pixel je Seite bewegt es sich.', add: 'Emoji hinzufügen', added: (name) => `${name} ist da.`, yours: 'Eure Emoji', none: 'Noch keine eigenen Emoji.', find: 'Nach Namen suchen', noneFound: 'Kein Emoji mit diesem Namen.', count: (count) => `${count} Emoji`,
      remove: 'Entfernen', confirm: (name) => `${name} entfernen?`, confirmDetail: 'Wo es geschrieben wurde, steht dann sein Name.', removed: (name) => `${name} ist entfernt.`,
    },
    css: {
      lead: 'Ein eigener Stil, für alle. Solange du schreibst, ändert sich nur diese Seite; die anderen sehen ihn, sobald du speicherst.', label: 'Eigenes CSS', example: ':root { --ember: #1d6fb8 }', tabHint: 'Tab rückt um zwei Leerzeichen ein. Um das Feld mit der Tastatur zu verlassen, drück Esc und dann Tab.',
      save: 'Für alle speichern', saved: 'Gespeichert. Alle sehen es jetzt.', undo: 'Änderungen verwerfen', reset: 'Alles entfernen', confirmReset: 'Den ganzen eigenen Stil entfernen?', confirmResetDetail: 'Alle sehen Campfire, wie es kam. Was hier steht, ist weg.', resetDone: 'Der eigene Stil ist entfernt.',
      tried: 'Das siehst bisher nur du.', asSaved: 'Das sehen alle.', tooLong: (bytes, most) => `Das sind ${bytes} Bytes, und höchstens ${most} werden aufbewahrt.`, wayBack: 'Ist etwas verschwunden und du kommst nicht mehr hierher, öffne die Seite ohne eigenen Stil:',
      names: 'Was du setzen kannst', namesLead: 'Diese Eigenschaften färben die ganze Seite. Wähle eine, um sie mit ihrem jetzigen Wert einzufügen. Hell und Dunkel haben eigene Werte: Eingefügt wird für das, was du gerade siehst.', insert: 'In den Stil einfügen',
      meanings: {
        '--paper': 'der Hintergrund der Nachrichten', '--raised': 'Felder, Menüs', '--sunken': 'die Seitenleiste, Code', '--line': 'feine Linien', '--edge': 'Ränder von Feldern', '--ink': 'Text', '--soft': 'Nebentext', '--faint': 'Zeiten und Hinweise',
        '--ember': 'der Akzent: was dein ist', '--ember-ink': 'Text auf dem Akzent', '--ember-wash': 'ein heller Ton des Akzents', '--mine': 'hinter deinen Nachrichten', '--mention': 'hinter Erwähnungen von dir', '--online': 'wer da ist', '--good': 'was gelungen ist', '--danger': 'was sich nicht rückgängig machen lässt', '--font': 'die Schrift', '--mono': 'die Schrift von Code',
      },
    },
    jobs: {
      lead: 'Webhooks aufrufen, Mitteilungen senden, Links ansehen: All das geschieht im Hintergrund und wird wiederholt, wenn es misslingt.', failed: 'Aufgegeben', failedLead: 'Diese sind zu oft misslungen oder können nie gelingen.', noneFailed: 'Alles in Ordnung: Nichts wurde aufgegeben.', waiting: 'Wartet', noneWaiting: 'Nichts wartet.', refresh: 'Noch einmal nachsehen',
      kinds: { webhook: 'Den Webhook eines Bots aufrufen', notify: 'Herausfinden, wem etwas mitzuteilen ist', push: 'Eine Mitteilung senden', preview: 'Einen Link für seine Vorschau ansehen', remove_files: 'Dateien entfernen', remove_messages: 'Nachrichten einer verbannten Person entfernen', await_mail: 'Herausfinden, wem eine Mail zu senden ist', mail_unread: 'Jemandem mailen, was ungelesen ist', mail: 'Eine Mail senden' },
      attempts: (count) => plural(count, 'Versuch', 'Versuche'), gaveUp: 'aufgegeben', retry: 'Noch einmal versuchen', retryAll: 'Alle noch einmal versuchen', retried: 'Es wird noch einmal versucht.', drop: 'Fallen lassen', confirmDrop: 'Diese Aufgabe fallen lassen?', confirmDropDetail: 'Sie wird nie erledigt. Sonst ändert sich nichts.', due: 'Ist gleich dran', runsAt: (when) => `Nächster Versuch: ${when}`,
      because: (error) => {
        const steps = {
          'the mail server cannot be reached': 'Der Mailserver ist nicht zu erreichen', 'the connection to the mail server cannot be encrypted': 'Die Verbindung zum Mailserver lässt sich nicht verschlüsseln', 'the mail server does not let us in': 'Der Mailserver lässt uns nicht hinein',
          'the mail server refuses the sender': 'Der Mailserver nimmt den Absender nicht', 'the mail server refuses the recipient': 'Der Mailserver nimmt den Empfänger nicht', 'the mail server refuses the mail': 'Der Mailserver nimmt die Mail nicht',
          'the address is not one to send to': 'An diese Adresse lässt sich nichts senden', 'its content is gone': 'Ihr Inhalt ist gelöscht: Lass sie neu senden',
        };
        const step = Object.keys(steps).find((words) => error?.startsWith(words));
        if (step) return `${steps[step]}${step.startsWith('its') ? '' : error.slice(step.length)}.`;
        const status = /answered (\d+)/.exec(error)?.[1];
        if (/push service answered/.test(error)) return `Der Push-Dienst hat sie abgewiesen (Status ${status}).`;
        if (status) return status >= 500 ? `Der andere Server hat selbst einen Fehler (Status ${status}).` : status === '404' ? 'Unter dieser Adresse ist nichts (Status 404).' : status === '401' || status === '403' ? `Der andere Server lässt uns nicht hinein (Status ${status}).` : `Der andere Server hat es abgewiesen (Status ${status}).`;
        if (/not a public one/.test(error)) return 'Die Adresse liegt in einem privaten Netz, und solche werden nicht aufgerufen. Wer den Server betreibt, kann es erlauben.';
        if (/too long|timed? ?out/i.test(error)) return 'Der andere Server hat zu lange für seine Antwort gebraucht.';
        if (/refused|unreachable|reset/i.test(error)) return 'Der andere Server ist nicht zu erreichen.';
        if (/no address|name server|dns|lookup/i.test(error)) return 'Einen Server mit diesem Namen gibt es nicht.';
        if (/certificate|tls/i.test(error)) return 'Dem Zertifikat des anderen Servers ist nicht zu trauen.';
        if (/redirect/.test(error)) return 'Der andere Server schickt uns weiter, zu oft oder zu einem anderen.';
        if (/too large/.test(error)) return 'Die Antwort war zu groß.';
        return error ? `Der angegebene Grund: ${error}` : 'Ein Grund ist nicht bekannt.';
      },
    },
    audit: {
      lead: 'Was mit den Rechten der Verwaltung getan wurde, das Neueste zuerst.', none: 'Noch nichts. Was die Verwaltung tut, wird von nun an hier festgehalten.', older: 'Ältere zeigen', host: 'Auf dem Server selbst', from: (address) => `von ${address}`, stranger: 'Jemand Unbekanntes',
      numbered: (kind, id) => ({ user: `Person ${id}`, bot: `Bot ${id}`, room: `Raum ${id}`, hook: `Webhook ${id}`, job: `Aufgabe ${id}`, invitation: `Einladung ${id}` })[kind] || `${kind} ${id}`, hookIn: (name, room) => `„${name}“ für ${room}`,
      actions: {
        'account.change': () => 'Einstellungen des Teams geändert', 'account.join_code': () => 'Neuen Einladungslink gemacht', 'account.logo': () => 'Logo geändert', 'bot.create': (what) => `Bot erstellt: ${what}`, 'bot.change': (what) => `Bot geändert: ${what}`, 'bot.key': (what) => `Neuer Schlüssel für den Bot ${what}`, 'bot.remove': (what) => `Bot entfernt: ${what}`,
        'room.delete': (what) => `Raum gelöscht: ${what}`, 'hook.create': (what) => `Webhook erstellt: ${what}`, 'hook.change': (what) => `Geändert: ${what}`, 'hook.remove': (what) => `Gelöscht: ${what}`, 'emoji.put': (what) => `Emoji hinzugefügt: ${what}`, 'emoji.remove': (what) => `Emoji entfernt: ${what}`, 'user.invite': (what) => `Eingeladen: ${what}`, 'invitation.create': (what) => `Einladung gemacht: ${what}`, 'invitation.use': (what) => `Beigetreten: ${what}`, 'invitation.revoke': (what) => `Zurückgenommen: ${what}`, 'user.sign_in_link': (what) => `Link zum Anmelden gemacht: ${what}`, 'user.end_session': (what) => `Auf einem Gerät abgemeldet: ${what}`, 'user.end_sessions': (what) => `Überall abgemeldet: ${what}`, 'user.deactivate': (what) => `Deaktiviert: ${what}`, 'user.ban': (what) => `Verbannt: ${what}`, 'user.lift_ban': (what) => `Bann aufgehoben: ${what}`, 'user.sign_in_failed': (what) => `Wurde abgewiesen, kam von ${what}`, 'user.sign_in': (what) => `${what}: über einen Anbieter angemeldet`, 'user.create': (what) => `${what}: über einen Anbieter zum ersten Mal hereingekommen`, 'user.claim': (what) => `${what}: das hierher geholte Konto über einen Anbieter übernommen`, 'user.link': (what) => `${what}: Konto bei einem Anbieter verknüpft`, 'user.unlink': (what) => `${what}: Konto bei einem Anbieter getrennt`,
        'second_factor.on': (what) => `Zweiten Schritt eingeschaltet: ${what}`, 'second_factor.off': (what) => `Zweiten Schritt ausgeschaltet: ${what}`, 'second_factor.recovery_codes': (what) => `Neue Ersatzcodes gemacht: ${what}`, 'second_factor.reset': (what) => `Zweiten Schritt entfernt: ${what}`, 'user.create_admin': (what) => `In die Verwaltung aufgenommen: ${what}`, 'user.reset_password': (what) => `Link für ein neues Passwort gemacht: ${what}`, 'job.retry': (what) => `Noch einmal versuchen lassen: ${what}`, 'job.drop': (what) => `Fallen gelassen: ${what}`, 'user.mail_reset': (what) => `Link für ein neues Passwort gemailt: ${what}`,
      },
      userChange: { 'role admin': (what) => `In die Verwaltung aufgenommen: ${what}`, 'role member': (what) => `Aus der Verwaltung genommen: ${what}`, 'role guest': (what) => `Zum Gast gemacht: ${what}`, other: (what) => `Bearbeitet: ${what}` },
    },
  },
};
