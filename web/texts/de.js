// All texts of the page in German.

/** Numbers below 1000 need no separators; a formatter for locales is slow to make. */
const number = (count) => (count < 1000 ? String(count) : count.toLocaleString('de'));
const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

/** Translations of the server's messages. */
const SAID = {
  'The e-mail address or the password is wrong.': 'Hier gibt es niemanden mit dieser E-Mail und diesem Passwort.',
  'Sign in first.': 'Melde dich zuerst an.',
  'This does not exist, or you may not see it.': 'Das gibt es hier nicht, oder es ist nicht für dich bestimmt.',
  'This account is set up already: sign in instead.': 'Hier ist schon alles eingerichtet: Melde dich an.',
  'Writing from this address is blocked.': 'Von dieser Adresse aus kann nichts geschrieben werden.',
  'Only administrators may create rooms.': 'Räume legt hier nur die Verwaltung an.',
  'Only administrators may do this.': 'Das darf nur die Verwaltung.',
  'Only administrators may change roles.': 'Rollen ändert nur die Verwaltung.',
  "Only the room's creator or an administrator may do this.": 'Das darf nur, wer den Raum angelegt hat, oder die Verwaltung.',
  'Only the user or an administrator may change this.': 'Das ändert nur die Person selbst oder die Verwaltung.',
  'An account here has this e-mail address already, and nobody has signed in to it yet. If it is yours, ask an administrator for an invitation.': 'Zu dieser E-Mail gibt es hier schon ein Konto, mit dem sich noch niemand angemeldet hat. Ist es deines, bitte die Verwaltung um eine Einladung.',
  'This person has a password and can sign in.': 'Die Person hat ein Passwort und kann sich anmelden.',
  'This person is banned: lift the ban first.': 'Die Person ist verbannt: Hebe zuerst den Bann auf.',
  'This person was deactivated here: they can join again.': 'Die Person wurde hier deaktiviert: Sie kann neu beitreten.',
  'You cannot ban yourself.': 'Sich selbst sperrt niemand.',
  'A bot cannot be banned: remove it instead.': 'Einen Bot sperrt man nicht, man entfernt ihn.',
  'The body must be a PNG, JPEG, GIF or WebP image.': 'Es muss ein Bild sein: PNG, JPEG, GIF oder WebP.',
};

/** Translations by code, for messages that are too technical. */
const CODES = {
  rate_limited: 'Zu viel auf einmal. Versuch es gleich noch einmal.', overloaded: 'Der Server hat gerade zu viel zu tun. Versuch es gleich noch einmal.',
  internal: 'Auf dem Server ist etwas schiefgegangen. Es steht in seinem Protokoll.', timeout: 'Es kam nicht rechtzeitig an.', no_space: 'Der Speicher des Servers ist voll. Nichts wurde geändert.',
  too_large: 'Das ist zu groß.', forbidden: 'Das darfst du nicht.', not_found: 'Das gibt es hier nicht, oder es ist nicht für dich bestimmt.',
};

/** Translations of what is wrong with a field; the field's name comes before it. */
const REASONS = [
  [/^(?:cannot be blank|is missing|is empty)$/, 'darf nicht leer sein'],
  [/^does not look like an e-mail address$/, 'sieht nicht wie eine E-Mail-Adresse aus'],
  [/^must have (\d+) to (\d+) characters$/, 'muss $1 bis $2 Zeichen haben'],
  [/^must have at least (\d+) characters$/, 'muss mindestens $1 Zeichen haben'],
  [/^must have at most (\d+) characters$/, 'darf höchstens $1 Zeichen haben'],
  [/^must have at most (\d+) bytes$/, 'darf höchstens $1 Byte haben'],
  [/^must have at most (\d+) ids.*$/, 'darf höchstens $1 Leute haben'],
  [/^must be one line without control characters$/, 'muss eine einzige Zeile sein'],
  [/^must be null or an integer from (\d+) to (\d+)$/, 'muss eine ganze Zahl von $1 bis $2 sein'],
  [/^must be a URL that starts with (.+?)(?: or (.+))?$/, 'muss eine Adresse sein, die mit $1 beginnt'],
  [/^is wrong$/, 'stimmt nicht'],
  [/^is that of somebody else here$/, 'gehört hier schon jemand anderem'],
];

export const de = {
  common: {
    cancel: 'Abbrechen', save: 'Speichern', saved: 'Gespeichert.', close: 'Schließen', copy: 'Kopieren', copied: 'Kopiert', retry: 'Noch einmal versuchen', remove: 'Löschen', edit: 'Bearbeiten', more: 'Mehr',
    you: 'du', youStart: 'Du', undo: 'Rückgängig', home: 'Zurück zu den Räumen', reload: 'Seite neu laden',
    people: (count) => plural(count, 'Person', 'Leute'),
  },
  errors: {
    offline: 'Der Server ist nicht zu erreichen. Prüfe deine Verbindung, und versuch es noch einmal.',
    loadFailed: 'Das ließ sich nicht laden.',
    intercepted: 'Etwas vor dem Server hat an seiner Stelle geantwortet, vielleicht eine Anmeldeseite deines Netzes. Lade die Seite neu, dann versuche es noch einmal.',
    tooLarge: (most) => `Das ist zu groß: höchstens ${most} sind erlaubt.`,
    tooLargeHere: 'Das ist für etwas vor dem Server zu groß. Kürze es, oder schick es in Teilen.',
    chunk: 'Ein Teil der Seite ließ sich nicht laden.',
    copyFailed: 'Dein Browser hat uns nicht kopieren lassen. Markiere den Text, und kopiere ihn von Hand.',
    // The server's messages are English: those that users may meet are translated.
    of: (problem) => SAID[problem.message] || (problem.code === 'rate_limited' && problem.retryAfterMs ? `Zu viel auf einmal. Versuch es in ${Math.ceil(problem.retryAfterMs / 1000)} s noch einmal.` : CODES[problem.code]) || problem.message,
    reason: (reason) => {
      const found = REASONS.find(([pattern]) => pattern.test(reason));
      return found ? reason.replace(found[0], found[1]) : reason;
    },
  },
  time: { today: 'Heute', yesterday: 'Gestern', now: 'gerade eben' },
  device: {
    newVersion: 'Eine neue Version ist da.', loadIt: 'Laden',
    pushUnsupported: 'Dieser Browser kann hier keine Mitteilungen zeigen. Dafür braucht es eine sichere Adresse (https) und auf iPhone und iPad die installierte App.',
    pushDenied: 'Mitteilungen sind für diese Seite gesperrt. Erlaube sie in den Einstellungen deines Browsers, und versuch es dann noch einmal.',
    pushNotAsked: 'Dein Browser hat weder Ja noch Nein gehört. Versuch es noch einmal, wenn du so weit bist.',
    pushFailed: 'Dein Browser hat seinen Push-Dienst nicht erreicht. Prüfe deine Verbindung, und versuch es noch einmal.',
  },
  app: {
    skip: 'Zum Gespräch springen', lost: 'Hier ist nichts.', lostHint: 'Den Raum gibt es nicht mehr, oder er war nie für dich bestimmt.',
    unreachable: 'Der Server ist nicht zu erreichen', unreachableHint: 'Prüfe deine Verbindung. Diese Seite versucht es von selbst wieder.',
    intercepted: 'Hier antwortet nicht der Server', interceptedHint: 'Etwas davor hat an seiner Stelle geantwortet, vielleicht eine Anmeldeseite deines Netzes. Lade die Seite neu, um sie zu sehen.',
    reconnecting: 'Keine Verbindung. Neuer Versuch …', interceptedLine: 'Etwas vor dem Server antwortet an seiner Stelle. Neuer Versuch …', uploadsQuestion: 'Jetzt abmelden?', uploadsDetail: 'Es sind noch Dateien unterwegs. Sie kämen nicht an.', noRooms: 'Noch keine Räume', noRoomsHint: 'Lege einen an, oder schreib jemandem.', noRoomsMember: 'Die Verwaltung legt sie an. Bis dahin kannst du jemandem schreiben.',
    titleWith: (place, account) => `${place} · ${account}`,
  },
  entry: {
    setupTitle: 'Das Feuer anzünden', setupLead: 'Zwei Minuten, und dein Team hat einen Ort zum Reden. Du kümmerst dich um ihn.', setupButton: 'Losreden',
    accountName: 'Name eures Teams', yourName: 'Dein Name', email: 'E-Mail', password: 'Passwort', newPassword: 'Neues Passwort',
    passwordHint: 'Mindestens acht Zeichen. Ein paar Wörter hintereinander sind gut.', showPassword: 'Passwort zeigen', hidePassword: 'Passwort verbergen',
    setupPasswordHint: 'Mindestens acht Zeichen. Ein paar Wörter hintereinander sind gut. Wer es vergisst und an diesen Rechner kommt, macht mit „campfire admin reset-password“ ein neues.',
    signIn: 'Anmelden', signInLead: 'Schön, dass du wieder da bist.', signInTitle: (team) => `Bei ${team} anmelden`,
    forgotten: 'Passwort vergessen? Wer diesen Server betreibt, kann dir einen neuen Link geben.',
    joinTitle: (team) => (team ? `Komm zu ${team}` : 'Komm dazu'), joinLead: 'Du bist eingeladen. Sag, wer du bist, und du bist dabei.', joinButton: (team) => (team ? `${team} beitreten` : 'Beitreten'),
    haveAccount: 'Du hast schon ein Konto?', emailTaken: 'Zu dieser E-Mail gibt es schon ein Konto. Melde dich mit seinem Passwort an.',
    badCode: 'Diese Einladung gilt nicht mehr. Bitte um einen neuen Link.', badInvitation: 'Diese Einladung gilt nicht mehr', badInvitationHint: 'Sie wurde durch eine neue ersetzt. Bitte die Person, die dich eingeladen hat, um den neuen Link.', alreadyIn: 'Du bist schon dabei.',
    resetTitle: 'Ein neues Passwort', resetLead: 'Wähle es, und du bist angemeldet.', resetButton: 'Speichern und anmelden', badReset: 'Dieser Link wurde schon benutzt oder ist zu alt. Bitte um einen neuen.',
    transferTitle: 'Willkommen hier drüben', transferLead: 'Ein Druck, und du bist auch auf diesem Gerät angemeldet. Der Link gilt nur einmal.', transferButton: 'Auf diesem Gerät anmelden',
    badTransfer: 'Dieser Link gilt nicht mehr', badTransferHint: 'Er wurde schon benutzt oder ist älter als vier Stunden. Erzeuge einen neuen, wo du angemeldet bist: Einstellungen, Geräte.',
    inviteTitle: (name) => `Willkommen, ${name}`, inviteLead: 'Deine Räume und was gesagt wurde, sind schon hier. Wähle, womit du dich von nun an anmeldest.', inviteButton: 'Speichern und anmelden',
    badClaim: 'Diese Einladung gilt nicht mehr', badClaimHint: 'Sie wurde schon benutzt oder ist älter als eine Woche. Bitte die Verwaltung um eine neue.',
    toSignIn: 'Mit dem Passwort anmelden',
  },
  side: {
    label: 'Räume und Leute', jump: 'Springen, suchen', directs: 'Direktnachrichten', rooms: 'Räume', hidden: 'Ausgeblendete Räume', newRoom: 'Neuer Raum', settings: 'Einstellungen',
    noRooms: 'Noch keine Räume. Lege den ersten an.', noRoomsMember: 'Noch keine Räume.', alone: 'Sonst ist noch niemand da.', invite: 'Jemanden einladen', yourself: 'Notizen an dich selbst', notes: 'Notizen', backToRooms: 'Zurück zu den Räumen',
    hide: 'Seitenleiste ausblenden', show: 'Seitenleiste einblenden', more: (count) => `${count} weitere`, moreShort: 'Mehr', less: 'Weniger', unread: 'ungelesen', online: 'online', closed: 'geschlossen', quiet: 'stumm',
    newMessages: (count) => (count === 1 ? '1 neue Nachricht' : `${number(count)} neue Nachrichten`), draft: 'Entwurf', saidBy: (name, words) => `${name}: ${words}`, strangers: 'Leute, denen du noch nicht geschrieben hast',
    mentions: (count) => (count === 1 ? '1 Erwähnung' : `${number(count)} Erwähnungen`), unreadElsewhere: 'es gibt Ungelesenes', notYet: (name) => `${name} schreiben`,
    menu: 'Du und diese Seite', profile: 'Profil bearbeiten', light: 'Hell', dark: 'Dunkel', system: 'Wie das System', keys: 'Tastenkürzel', install: 'Als App installieren', signOut: 'Abmelden',
  },
  ask: {
    title: 'Benachrichtigungen', words: 'Soll dieses Gerät dir sagen, wenn dir jemand schreibt oder dich erwähnt?', yes: 'Einschalten', later: 'Jetzt nicht', done: 'Dieses Gerät sagt dir jetzt Bescheid.',
    install: 'Möchtest du erfahren, wenn dir jemand schreibt? Auf iPhones und iPads kann das die installierte App.', how: 'Zeig mir, wie',
  },
  switcher: {
    title: 'Springen zu', placeholder: 'Raum, Person oder Suchwörter', results: 'Räume und Leute', search: (words) => `Nach „${words}“ suchen`, person: 'Person', bot: 'Bot', hidden: 'ausgeblendeter Raum', closed: 'geschlossener Raum', unread: 'ungelesen', group: 'Direktnachricht',
    found: (count) => (count === 1 ? '1 Treffer' : `${number(count)} Treffer`),
    hintChoose: 'wählen', hintOpen: 'öffnen', hintClose: 'schließen',
  },
  people: {
    filter: 'Jemanden finden', nobody: 'Niemand heißt so.', moreToFind: (count) => `und ${number(count)} weitere. Tippe, um sie zu finden.`,
    ping: 'Jemandem schreiben', several: 'Mehreren schreiben', start: 'Losreden', chosen: 'Ausgewählte', takeOut: (name) => `${name} herausnehmen`, chooseSome: 'Wähle zuerst jemanden aus.',
    newRoom: 'Neuer Raum', roomName: 'Name des Raums', kind: 'Wer dabei ist', open: 'Offen', openHint: 'Alle sind dabei, auch wer später dazukommt.', closedKind: 'Geschlossen', closedHint: 'Nur wen du auswählst. Sonst sieht ihn niemand.', create: 'Raum anlegen', who: 'Wer hereinkommt',
    admin: 'Verwaltung', bot: 'Bot', deactivated: 'Stillgelegt', banned: 'Gesperrt', onlineNow: 'Gerade da', pingOne: 'Schreiben', editProfile: 'Profil bearbeiten', manage: 'Verwalten', you: 'du', itsYou: 'Das bist du', profileOf: (name) => `Profil von ${name}`, openNotes: 'Notizen an dich selbst',
  },
  search: {
    title: 'Suche', placeholder: 'Nachrichten durchsuchen', clear: 'Suche leeren', filters: 'Filter', in: 'Raum', from: 'Person', has: 'Mit', when: 'Wann', removeFilter: (label) => `Filter „${label}“ herausnehmen`,
    inValue: (name) => `in ${name}`, fromValue: (name) => `von ${name}`, beforeValue: (day) => `vor dem ${day}`, afterValue: (day) => `nach dem ${day}`, onValue: (day) => `am ${day}`,
    kinds: { file: 'Datei', image: 'Bild', video: 'Video', audio: 'Aufnahme', link: 'Link', sound: 'Klang' }, hasValue: (kind) => `mit ${kind}`,
    today: 'Heute', week: 'Die letzten 7 Tage', month: 'Die letzten 30 Tage', afterDay: 'Nach dem', beforeDay: 'Vor dem', anyTime: 'Jederzeit', apply: 'Zeigen',
    findRoom: 'Einen Raum finden', noRoom: 'Kein Raum heißt so.',
    recent: 'Letzte Suchen', forget: 'Leeren', invite: 'Finde alles, was gesagt wurde', inviteHint: 'In all deinen Räumen. Tippe Wörter, setze „eine Wendung“ in Anführungszeichen, oder grenze mit den Filtern oben ein.',
    none: 'Nichts gefunden', noneHint: 'Weniger Wörter finden mehr. Gesucht wird nur in deinen eigenen Räumen.', noneFiltered: 'Ohne die Filter findet sich vielleicht etwas.', dropFilters: 'Ohne Filter suchen',
    older: 'Weitere Treffer', order: 'genaue Treffer und die neuesten zuerst', indexing: 'Der Suchindex wird aufgebaut: Ältere Nachrichten können fehlen.', found: (count, more) => (more ? `Die ersten ${count} Nachrichten` : count === 1 ? '1 Nachricht' : `${count} Nachrichten`), roomGone: 'ein Raum',
  },
  keys: {
    title: 'Tastenkürzel', moving: 'Herumkommen', writing: 'Schreiben',
    jump: 'Zu Raum oder Person springen', search: 'Suchen', nextUnread: 'Nächster ungelesener Raum', previousUnread: 'Voriger ungelesener Raum', sidebar: 'Seitenleiste aus- oder einblenden', help: 'Diese Liste', close: 'Schließen oder zurückgehen',
    send: 'Senden', sendAlways: 'Auf jeden Fall senden', newLine: 'Neue Zeile', editLast: 'Deine letzte Nachricht bearbeiten', bold: 'Fett', italic: 'Kursiv', code: 'Code', mention: 'Jemanden erwähnen', sound: 'Einen Klang spielen',
    messages: 'Im Gespräch', toMessages: 'Vom Schreiben ins Gespräch', walk: 'Vorige oder nächste Nachricht', actions: 'Was du damit tun kannst', reply: 'Antworten', edit: 'Bearbeiten', boost: 'Boost geben', copyLink: 'Link kopieren', remove: 'Löschen', backToWriting: 'Zurück zum Schreiben', delete: 'Entf',
    enter: 'Enter', shift: 'Umschalt', ctrl: 'Strg', alt: 'Alt', esc: 'Esc', pageUp: 'Bild ↑',
  },
  room: {
    back: 'Zurück zu den Räumen', menu: 'Mehr zu diesem Raum', log: (name) => `Nachrichten in ${name}`, people: 'Leute', notes: 'Notizen an dich', notesHint: 'Nur du kannst das lesen',
    reading: (count) => `${number(count)} lesen gerade`, readingNow: 'liest gerade', online: 'online', offline: 'offline', onlineOf: (online, all) => `${online} von ${all} online`,
    bell: (state) => `Mitteilungen: ${state}`, notifications: 'Mitteilungen', settings: 'Raumeinstellungen', search: 'In diesem Raum suchen', copyLink: 'Link zu diesem Raum kopieren',
    involvement: { mentions: 'Wenn ich erwähnt werde', everything: 'Jede Nachricht', nothing: 'Nichts (stumm)', invisible: 'Nichts, und in meiner Liste ausgeblendet' },
    involvementSet: { mentions: 'Du erfährst, wenn dich jemand erwähnt.', everything: 'Du erfährst hier von jeder Nachricht.', nothing: 'Stumm: Du erfährst hier von nichts.', invisible: 'Der Raum steht nicht mehr in deiner Liste und meldet nichts.' },
    newLine: 'Neu', newest: 'Zum Neuesten', cameBelow: (count) => plural(count, 'neue Nachricht', 'neue Nachrichten'), cameAbove: (count) => plural(count, 'neue Nachricht', 'neue Nachrichten'),
    targetGone: 'Diese Nachricht wurde gelöscht. Das hier wurde um sie herum gesagt.', gone: 'Diesen Raum gibt es nicht mehr', goneHint: 'Er wurde gelöscht, oder jemand hat dich herausgenommen.',
    announced: (name, words) => `${name}: ${words}`, dropHere: (name) => `Lass Dateien hier los, um sie an ${name} zu senden`,
    typing: (names) => (names.length === 1 ? `${names[0]} schreibt …` : names.length === 2 ? `${names[0]} und ${names[1]} schreiben …` : 'Mehrere schreiben …'),
    name: 'Name', kind: 'Wer darin ist', open: 'Offen', openHint: 'Alle sind darin, auch wer später dazukommt.', closed: 'Geschlossen', closedHint: 'Nur ausgewählte Personen sind darin.',
    openQuestion: (name) => `${name} für alle öffnen?`, openDetail: 'Dann können alle lesen, was hier bisher gesagt wurde, auch wer später dazukommt. Was gelesen ist, bleibt gelesen, auch wenn du den Raum wieder schließt.', openIt: 'Raum öffnen',
    madeBy: (name, date) => `Angelegt von ${name} am ${date.toLocaleDateString('de', { day: 'numeric', month: 'long', year: 'numeric' })}.`,
    leave: 'Raum verlassen', leaveQuestion: (name) => `${name} verlassen?`, leaveDetail: 'Du siehst ihn dann nicht mehr. Wer darin ist, kann dich wieder hineinlassen.', left: (name) => `Du hast ${name} verlassen.`,
    remove: 'Raum löschen', removeQuestion: (name) => `${name} löschen?`, removeDetail: 'Alle Nachrichten und Dateien darin verschwinden mit, für alle. Das lässt sich nicht rückgängig machen.',
    removeDirect: 'Unterhaltung löschen', removeDirectQuestion: 'Diese Unterhaltung löschen?', removeDirectDetail: 'Alle Nachrichten und Dateien darin verschwinden, für alle Beteiligten. Das lässt sich nicht rückgängig machen.', removed: 'Gelöscht.',
    empty: 'Hier wurde noch nichts gesagt', emptyHint: (name) => `${name} wartet darauf, dass jemand anfängt.`, firstWord: 'Das erste Wort sagen',
    notesEmpty: 'Notizen an dich', notesEmptyHint: 'Links, Listen, ein halber Gedanke: Was du hier ablegst, liest niemand sonst.', notesStart: 'Nur du kannst das lesen.',
    directEmpty: (names) => `Du und ${names}`, directEmptyHint: 'Was ihr hier schreibt, liest niemand sonst. Ein Hallo ist ein guter Anfang.', directStart: (names) => `Hier begann dein Gespräch mit ${names}.`,
    welcome: (team) => `Willkommen bei ${team}`, welcomeHint: 'Das Feuer brennt. Jetzt lade die anderen ein: Wer diesen Link hat, kann dazukommen.', qr: 'Die Einladung als QR-Code', copyInvitation: 'Einladung kopieren', onlyHere: 'Dieser Link gilt nur auf diesem Rechner. Um andere einzuladen, öffne Campfire unter der Adresse, die sie benutzen werden.',
    joined: (names) => `Neu dabei: ${names}.`, otherPeople: (count) => (count === 1 ? '1 weitere Person' : `${number(count)} weitere`),
    start: (name, date) => `${name} hat diesen Raum am ${date.toLocaleDateString('de', { day: 'numeric', month: 'long', year: 'numeric' })} angelegt. Hier beginnt er.`,
  },
  message: {
    removePreview: (title) => `Vorschau von ${title} entfernen`,
    by: (name, time) => `${name}, ${time}`, actions: 'Was du mit dieser Nachricht tun kannst', reply: 'Antworten', edited: '(bearbeitet)', table: 'Tabelle', copyCode: 'Code kopieren', showMore: 'Mehr zeigen', showLess: 'Weniger zeigen',
    failed: (why) => `Nicht gesendet. ${why}`, discard: 'Verwerfen', waiting: 'Wartet auf die Verbindung', sending: 'Wird gesendet …', paced: 'Viele Nachrichten auf einmal: Sie geht gleich hinaus.', roomGone: 'Du bist nicht mehr in diesem Raum.', originalGone: 'Die Nachricht, auf die das antwortet, wurde gelöscht', originalLoading: 'Eine Nachricht weiter oben',
    boost: 'Boost geben', boosts: 'Boosts', boostWith: (content) => `Boost mit ${content}`, boostedBy: (content, names) => `${content} von ${names}`, andMore: (count) => `${count} weiteren`, from: (names) => ` von ${names}`, boostWord: 'Oder ein, zwei Wörter', boostAction: 'Geben',
    boostEmoji: 'Boost mit einem anderen Emoji', boostWords: 'Boost mit einem Wort', boosters: (count) => `Wer einen Boost gab (${count})`,
    listed: (names) => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} und ${names.at(-1)}`),
    copyLink: 'Link kopieren', copyWords: 'Text kopieren', profile: 'Profil zeigen',
    editLabel: 'Nachricht bearbeiten', editHint: 'Enter speichert, Esc bricht ab', editEmpty: 'Eine Nachricht braucht mindestens ein Wort. Willst du sie zurücknehmen, lösche sie.',
    removeMine: 'Deine Nachricht löschen?', removeTheirs: 'Diese Nachricht löschen?', removeDetail: 'Sie verschwindet für alle. Das lässt sich nicht rückgängig machen.',
  },
  composer: {
    writeTo: (name) => `Nachricht an ${name}`, writeNotes: 'Schreib dir eine Notiz', send: 'Senden', attach: 'Dateien anhängen', emoji: 'Emoji', formatting: 'Formatierung', ctrl: 'Strg', shift: 'Umschalt',
    marks: { bold: 'Fett', italic: 'Kursiv', strike: 'Durchgestrichen', code: 'Code', codeBlock: 'Codeblock', link: 'Link', quote: 'Zitat', list: 'Liste' },
    nobodyReads: (names, count) => (count === 1 ? `${names} kann das nicht lesen: Das Konto ist nicht mehr aktiv.` : `${names} können das nicht lesen: Die Konten sind nicht mehr aktiv.`),
    replyingTo: (name) => `Antwort an ${name}`, cancelReply: 'Antwort abbrechen',
    left: (count) => `Noch Platz für etwa ${plural(count, 'Zeichen', 'Zeichen')}.`, tooLong: (count) => `Das ist um ${plural(count, 'Zeichen', 'Zeichen')} zu lang für eine Nachricht. Kürze es, oder schick den Rest in einer zweiten.`,
    inCode: 'In einem Codeblock beginnt Enter eine neue Zeile. Strg und Enter sendet, oder schließ den Block mit ```.',
    suggestions: (count) => `${plural(count, 'Vorschlag', 'Vorschläge')}. Pfeiltasten wählen, Enter übernimmt.`, people: 'Leute in diesem Raum', here: 'alle, die online sind', everyone: 'alle in diesem Raum', bot: 'Bot',
    sounds: 'Klänge', soundsHint: 'Enter übernimmt, → spielt ihn nur für dich', listen: 'Anhören',
    chosen: 'Dateien zum Senden', removeFile: (name) => `${name} weglassen`, tooMany: (most) => `Höchstens ${most} Dateien gehen auf einmal.`,
    folder: (name) => `„${name}“ ist ein Ordner oder nicht lesbar. Pack ihn zuerst in ein Archiv.`, emptyFile: (name) => `„${name}“ ist leer.`, largeFile: (name, most) => `„${name}“ ist zu groß: Eine Datei darf höchstens ${most} haben.`,
  },
  media: {
    download: (name) => `${name} herunterladen`, file: 'Datei', sending: (name) => `${name} wird gesendet`, cancel: (name) => `${name} nicht senden`,
    waiting: (size) => `${size} · wartet`, progress: (done, all) => `${done} von ${all}`, finishing: 'Fast fertig …', notSent: 'Nicht gesendet',
    tooLarge: (most) => (most ? `Zu groß: Eine Datei darf höchstens ${most} haben.` : 'Zu groß für diesen Server.'), noSpace: 'Auf dem Server ist dafür kein Platz mehr. Wer ihn betreibt, kann welchen schaffen.',
    roomGone: 'Du bist nicht mehr in diesem Raum.', busy: 'Der Server hat viel zu tun. Versuch es gleich noch einmal.', offline: 'Keine Verbindung. Sie geht raus, sobald es wieder eine gibt.', broken: 'Die Verbindung ist unterwegs abgebrochen.',
    play: (title) => `${title} abspielen`, played: (title) => `hat ${title} gespielt`,
    pictures: 'Bilder aus diesem Raum', picture: (place, all) => `${place} von ${all}`, previous: 'Voriges Bild', next: 'Nächstes Bild', zoomIn: 'Größer', zoomOut: 'Kleiner', share: 'Teilen', copyLink: 'Link zur Nachricht kopieren', toMessage: 'Zur Nachricht', broke: 'Dieses Bild lässt sich nicht zeigen.',
  },
  emoji: {
    title: 'Emoji', search: 'Emoji suchen', none: 'Kein Emoji mit diesem Namen.', found: (count) => `${count} gefunden`, categories: 'Gruppen', tone: 'Hautton',
    tones: ['Kein Hautton', 'Hell', 'Mittelhell', 'Mittel', 'Mitteldunkel', 'Dunkel'],
    groups: { recent: 'Zuletzt benutzt', smileys: 'Smileys', people: 'Leute', symbols: 'Herzen und Zeichen', nature: 'Natur', food: 'Essen und Trinken', activity: 'Spiel und Feier', travel: 'Orte', things: 'Dinge' },
  },
};
