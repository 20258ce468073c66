// The texts of the settings in English.

const plural = (count, one, many) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

export const words = {
  settings: {
    title: 'Settings', sections: 'Sections of the settings', you: 'You', team: 'The team', back: 'All settings', signOut: 'Sign out',
    noSection: 'There is no such section', noSectionHint: 'It may be one for administrators.',
    names: {
      profile: 'Profile', devices: 'Devices', notifications: 'Notifications', appearance: 'Appearance', tokens: 'API tokens', about: 'About Campfire',
      account: 'Team', invite: 'Invitations', people: 'People', signins: 'Sign-ins', bots: 'Bots', hooks: 'Webhooks', emoji: 'Emoji', css: 'Custom style', jobs: 'Background jobs', audit: 'Audit log',
    },
    once: 'Copy it now. It is shown this once and never again.', kept: 'I have kept it', share: 'Share',
    crop: {
      stage: 'The part of your picture that is taken', zoom: 'Zoom', save: 'Use this picture', hint: 'Drag the picture, or move it with the arrow keys. Zoom with + and −.',
      unreadable: 'This is not a picture that your browser can read. Try a PNG or a JPEG.',
    },
    profile: {
      lead: 'This is how the others see you.', changePicture: 'Change picture', removePicture: 'Remove', pictureHint: 'You can also drop a picture here, or paste one.',
      crop: 'Your picture', pictureSaved: 'Your picture is saved.', pictureRemoved: 'Your picture is removed.',
      aboutYou: 'About you', name: 'Name', nameHint: 'The name by which the others mention you.', bio: 'A few words about you', bioHint: 'Shown when somebody looks at your profile.', count: (used, most) => `${used} of ${most} characters`,
      signIn: 'Signing in', signInLead: 'To change what you sign in with, enter your current password too.', email: 'E-mail', newPassword: 'New password', newPasswordHint: 'Leave it empty to keep the one you have. Eight characters or more; your other devices are signed out, and your API tokens end.',
      currentPassword: 'Current password', currentPasswordHint: 'So that nobody who finds this page open can lock you out.', saveSignIn: 'Change how I sign in',
      leave: 'Leaving the team', leaveLead: 'You are signed out everywhere and leave every room. What you have said stays.', leaveButton: 'Deactivate my account', leaveQuestion: 'Deactivate your account?', leaveDetail: 'Your e-mail becomes free, so that you could join anew by an invitation. This cannot be undone.',
      accounts: 'Accounts elsewhere', accountsLead: 'Sign in by an account that you have already. One that is linked opens this one.', link: (name) => `Link ${name}`, unlink: 'Unlink', unlinked: (name) => `${name} is unlinked.`,
      confirmUnlink: (name) => `Unlink ${name}?`, confirmUnlinkDetail: 'Devices where you signed in by it are signed out, but this one.', signInFresh: 'You have no password here. To change this, sign out and in again first: that proves who you are, for ten minutes.',
    },
    devices: {
      lead: 'Everywhere you are signed in. If you do not recognise one of these, sign it out and change your password.', thisOne: 'This device', unknown: 'An unknown device', on: (browser, system) => `${browser} on ${system}`,
      lastUsed: 'Last used', since: (when) => `Signed in ${when}`, signOut: 'Sign out', signedOut: (name) => `${name} is signed out.`,
      signOutOthers: 'Sign out all other devices', othersSignedOut: 'All other devices are signed out.', confirmOthers: (count) => `Sign out ${plural(count, 'other device', 'other devices')}?`, confirmOthersDetail: 'They have to sign in again with your password. You stay signed in here.',
      transfer: 'Sign in on your phone', transferLead: 'Without typing your password: show a code here and point your phone’s camera at it.', makeCode: 'Show a code', hideCode: 'Hide it', qr: 'QR code that signs another device in',
      steps: ['Open the camera of your phone.', 'Point it at this code.', 'Open the link that appears.'], expires: (when) => `Works once, until ${when}. Whoever opens it is signed in as you, so show it to nobody.`, link: 'Or open this link on the other device',
    },
    secondFactor: {
      title: 'Second step', lead: 'A code from an app besides your password. Whoever learns your password still does not get in.', turnOn: 'Turn on the second step', turnOff: 'Turn off', on: 'on', app: 'Codes by an app', since: (when) => `Turned on ${when}`,
      left: (count) => (count ? `${plural(count, 'recovery code', 'recovery codes')} left` : 'No recovery codes left: make new ones.'), required: 'It is required here of whoever signs in by a password.', renew: 'New recovery codes', anew: 'Set up anew',
      appLead: 'You need an app for codes, on your phone or in your password manager.', next: 'Continue', codeHint: 'Of your app, or a recovery code.', renewLead: 'The recovery codes that you have stop working.',
      turnOffTitle: 'Turn the second step off?', turnOffLead: 'Then your password alone lets you in.', isOff: 'The second step is off.',
    },
    notifications: {
      lead: 'What may call you, and where.', here: 'On this device',
      states: { unsupported: 'Not in this browser.', needsTls: 'Not at this address.', denied: 'Blocked.', off: 'Off.', on: 'On.' },
      statesHow: {
        unsupported: 'It cannot show notifications from a page. On an iPhone or iPad, add Campfire to the Home Screen first and open it from there.',
        needsTls: 'Browsers allow notifications only where the address begins with https. Ask whoever runs this server to set up a certificate.',
        denied: 'Your browser was told not to show notifications from this page. Open the settings of this page by the icon beside its address, allow notifications, and reload it.',
        off: 'With them you hear of mentions and direct messages, even while Campfire is closed.',
        on: 'This device tells you of new messages, even while Campfire is closed.',
      },
      enable: 'Turn on', disable: 'Turn off', devices: 'Your devices with notifications', devicesLead: 'Each is told separately.', noDevices: 'None yet. Turn notifications on above, on each device where you want them.',
      since: 'Turned on', refused: (service, status) => `${service} refused the last notification (${status})`, services: { apple: 'Apple', google: 'Google', mozilla: 'Mozilla', microsoft: 'Microsoft' }, test: 'Send a test', tested: 'A test is on its way.', remove: 'Remove', removed: (name) => `${name} gets no more notifications.`,
      mail: {
        title: 'Mail', lead: 'For mentions and direct messages that came while you were away and that you have not read.', when: 'When', whenHint: (email) => `To ${email}. If you were here in the meantime, no mail is sent.`,
        atOnce: 'At once', away: (minutes) => `After ${plural(minutes, 'minute', 'minutes')} away`, daily: (time) => `Once a day, at ${time}`, never: 'Never', noAddress: 'You have no e-mail address here.',
        test: 'Send me a mail', tested: (email) => `A mail to ${email} is on its way.`, refused: 'Nothing is sent to you: your address refused a mail.', refusedHow: 'Choose another address in your profile, or have this one tried again once that is mended.', again: 'Try it again', againDone: 'The next mail goes to this address again.',
      },
      sounds: 'Sounds', soundsOn: 'Play the sounds of the others', soundsHint: 'When somebody plays one with /play in the room you are looking at.',
      bell: 'What the bell means', bellLead: 'Each room has a bell at its top. It has four states:',
      bells: { mentions: 'Mentions', everything: 'Everything', nothing: 'Nothing', invisible: 'Hidden' },
      bellsHow: { mentions: 'Tells you when somebody mentions you.', everything: 'Tells you of every message.', nothing: 'Stays in your list and never tells you.', invisible: 'Leaves your list, and is never unread. You are still in it.' },
      defaults: 'Rooms start with Mentions, direct messages with Everything.',
      rooms: 'Room by room', roomsLead: 'Hidden rooms are here too, so that you can bring them back.', noRooms: 'You are in no room yet.', bellOf: (name) => `Bell of ${name}`, roomSaved: (name, bell) => `${name}: ${bell}`,
    },
    appearance: {
      lead: 'On this device only. Your other devices stay as they are.', theme: 'Light or dark', system: 'As the system', light: 'Light', dark: 'Dark',
      language: 'Language', languageLead: 'The page reloads in the language you choose. What you have begun to write is kept.', browsers: (name) => `As the browser (${name})`,
    },
    tokens: {
      lead: 'With a token, a script or program acts in your name, wherever you may. Make one for each, so that you can take it back alone.',
      scope: 'What it may do', scopes: { read: 'reads', write: 'reads and writes', admin: 'administers' }, scopeHint: 'Give it no more than it needs.',
      scopeMeans: { read: 'Read only', write: 'Read and write', admin: 'All that you may as an administrator' },
      new: 'New token', name: 'Name', nameExample: 'Deploy script', nameHint: 'What it is for, so that you recognise it later.', create: 'Create token', made: (name) => `The token “${name}”`, token: 'Token', tryIt: 'Try it: your rooms',
      yours: 'Your tokens', none: 'No tokens yet. You need one only if you write programs that use Campfire.', madeAt: 'Created', lastUsed: 'last used', unused: 'never used', revoke: 'Revoke', confirm: (name) => `Revoke the token “${name}”?`,
      confirmDetail: 'Whatever uses it stops working at once. This cannot be undone.', revoked: (name) => `The token “${name}” is revoked.`, reference: 'All that the API can do (OpenAPI)',
    },
    about: {
      lead: 'A place for your team to talk, on a server of your own.', version: 'Version', uptime: 'Running for', team: 'Team', licence: 'Licence', licenceText: 'MIT: free to use, change and share',
      minutes: (count) => plural(count, 'minute', 'minutes'), hours: (count) => plural(count, 'hour', 'hours'), days: (count) => plural(count, 'day', 'days'),
      keys: 'Keyboard', keysLead: 'Everything can be done without a mouse.', showKeys: 'Show keyboard shortcuts',
      install: 'As an app', installLead: 'Campfire can have a window and an icon of its own.', installButton: 'Install the app', isInstalled: 'You are using the installed app.',
      installByHand: 'Your browser’s menu has “Install” or “Add to Home Screen”.', installNeedsTls: 'This takes an address that begins with https.',
      developers: 'For developers', developersLead: 'Everything this page does goes through an API that your programs can use too.', reference: 'API description (OpenAPI)',
      export: 'Export', exportLead: 'Everything in one file: people, rooms, messages and settings, one JSON object a line. Passwords and keys are not in it.', exportButton: 'Download the export',
    },
  },
  admin: {
    account: {
      lead: 'The name and look of your team, and what holds for everybody.', logo: 'Logo', changeLogo: 'Change logo', removeLogo: 'Remove', logoHint: 'Shown beside the name, above the sign-in, and on the installed app. You can also drop or paste one.', logoHintTouch: 'Shown beside the name, above the sign-in, and on the installed app.', logoSaved: 'The logo is saved.', logoRemoved: 'The logo is removed.',
      name: 'Name', nameHint: 'Everybody sees it at the top of their rooms.', rules: 'Who may do what', restrict: 'Only administrators make rooms', restrictHint: 'Members can still write to each other directly.',
      membersInvite: 'Members may invite', membersInviteHint: 'With invitations that end, to the open rooms and to closed rooms that they have made.', secondStep: 'A second step is required of', secondStepOf: { nobody: 'Nobody', administrators: 'Administrators', everybody: 'Everybody' }, secondStepHint: 'Who signs in by a password and has none sets it up at the next sign-in. Bots, API tokens and sign-ins by a provider are left alone.', membersJoinLink: 'Members see the join link', membersJoinLinkHint: 'Whoever has it can join, until you make a new one. Guests never see it.',
      retention: 'How long messages are kept', retentionLead: 'For everybody, in every room, direct ones too.', keepAll: 'For ever', keepAllHint: 'Nothing is removed unless somebody deletes it.', keepSome: 'For a while', keepSomeHint: 'Older messages and their files are removed for good.',
      days: 'Days', daysHint: '365 is a year, 90 a quarter. At most 36,500.', daysWrong: 'has to be a whole number from 1 to 36,500', confirmDays: (days) => `Remove everything older than ${plural(days, 'day', 'days')}?`, confirmDaysButton: 'Remove older messages',
      confirmDaysDetail: (days) => `Messages and files older than ${plural(days, 'day', 'days')} are removed now, and from now on as they reach that age. Nobody can bring them back.`, notSaved: 'Nothing was changed.',
    },
    invite: {
      lead: 'The join link is for your whole team and stays. Invitations are for somebody in particular, and end.', how: 'Send the link, or let others point the camera of their phone at the code.', howMuch: 'It works for as many people as you like, until you make a new one.',
      qr: 'QR code of the join link', link: 'Join link', shareTitle: (team) => `Join ${team}`, renew: 'A new link', renewLead: 'If the link went where it should not, replace it. Whoever is in stays in.', renewButton: 'Make a new link', confirm: 'Replace the join link?',
      confirmDetail: 'The old link and its code stop working at once, also for those who have it and did not use it yet.', renewed: 'There is a new join link.',
    },
    people: {
      identities: 'How they sign in', identitiesOf: (name) => `How ${name} signs in`, hasPassword: 'With a password.', hasNoPassword: 'Without a password.', unlink: 'Unlink', unlinkHint: 'Who signs in by an account that was unlinked is a stranger: found again by a verified e-mail address, or somebody new.',
      lead: 'Members talk; administrators also look after the team. Guests see only the rooms that they are in, and only the people there.', find: 'Find by name or e-mail', which: 'Who is shown',
      kinds: { everybody: 'Everybody', admins: 'Administrators', guests: 'Guests', unclaimed: 'Not signed in yet', gone: 'Deactivated', banned: 'Banned' },
      noneOf: { everybody: 'Nobody is here.', admins: 'There are no administrators.', guests: 'There are no guests.', unclaimed: 'Everybody has signed in.', gone: 'Nobody was deactivated.', banned: 'Nobody is banned, and may it stay so.' },
      nobody: 'Nobody by that name or e-mail.', count: (count) => plural(count, 'person', 'people'), more: (count) => `and ${count} more: type to narrow it down`,
      admin: 'Administrator', guest: 'Guest', deactivated: 'Deactivated', banned: 'Banned', messagesStay: { deactivated: 'What was said stays.', banned: 'Messages are removed, addresses are blocked.' }, actions: (name) => `What to do with ${name}`,
      unclaimed: 'Has not signed in yet', invite: 'Invite', inviteTitle: (name) => `Invite ${name}`, inviteLead: 'This account was moved here from another chat. Whoever opens the link chooses an e-mail and a password for it.',
      inviteExpires: (when) => `Works once, until ${when}. Send it to nobody else: whoever has it takes the account over.`, inviteLink: 'Invitation', inviteMail: (email) => `Send a mail to ${email}`, inviteMailed: (email) => `A mail to ${email} is on its way. The link in it replaces the one you saw.`,
      edit: 'Edit', editTitle: (name) => `Edit ${name}`, name: 'Name', email: 'E-mail', password: 'New password', passwordHint: 'Only if they lost theirs: leave it empty otherwise. They are signed out everywhere.',
      makeAdmin: 'Make administrator', confirmAdmin: (name) => `Make ${name} an administrator?`, confirmAdminDetail: 'Administrators can change and delete every room and message they see, manage people and bots, export everything, and take these rights from you.',
      makeMember: 'Make member', confirmMember: (name) => `Make ${name} a member?`, confirmMemberDetail: 'They stay in all their rooms and lose these settings of the team.', confirmMemberMe: 'You lose these settings at once. Only another administrator can give them back to you.',
      makeGuest: 'Make guest', guestTitle: (name) => `Make ${name} a guest?`, guestLead: 'A guest sees only the rooms chosen here, and only the people in them. They leave all other rooms, also those that you are not in; direct messages stay.', guestRooms: 'Rooms to stay in', guestNoRooms: 'You share no room with them: they will be in none.',
      guestToMember: 'Make member', confirmGuestToMember: (name) => `Make ${name} a member?`, confirmGuestToMemberDetail: 'They join every open room, with all that was ever said there, and see everybody.',
      signInLink: 'Link to sign in', linkTitle: (name) => `A link for ${name}`, linkLead: 'For somebody who lost the password: whoever opens it chooses a new one and is signed in. All other devices are signed out then.', linkExpires: (when) => `Works once, until ${when}. Whoever has it gets into the account: send it to nobody else.`, link: 'Link', sessions: 'Devices and tokens',
      deactivate: 'Deactivate', confirmDeactivate: (name) => `Deactivate ${name}?`, confirmDeactivateDetail: 'They are signed out everywhere and leave every room. What they said stays. Their e-mail is free again, so they could join again. This cannot be undone.',
      ban: 'Ban', confirmBan: (name) => `Ban ${name}?`, confirmBanDetail: 'They are signed out everywhere, everything they ever said is removed for good, and the internet addresses they came from can no longer sign in or write. You can lift the ban, but what was said does not come back.',
      lift: 'Lift the ban', confirmLift: (name) => `Let ${name} back in?`, confirmLiftDetail: 'They can sign in again, and their addresses are no longer blocked. The removed messages stay removed.',
    },
    invitations: {
      title: 'Invitations', lead: 'Each is a link for so many people and so many days, for members, or for guests of some rooms.', new: 'New invitation', none: 'No invitations yet.', qr: 'QR code of the link', link: 'Invitation',
      whom: 'Who comes', asMember: 'Members', asMemberHint: 'They are in every open room, and see everybody.', asGuest: 'Guests', asGuestHint: 'They see only the rooms chosen here, and only the people in them.',
      guestRooms: 'Their rooms', memberRooms: 'Closed rooms that they come into too', noRooms: 'There is no room that you may invite guests to.', chooseRoom: 'Choose a room: a guest sees no other.',
      uses: 'How many people', usesHint: 'At most 1,000.', days: 'For how many days', daysHint: 'At most 90.', note: 'Note', noteHint: 'For this list: who it is for.', email: 'Mail it to', emailHint: 'If you like: the link is sent there as well.', mailed: (email) => `The invitation is on its way to ${email}.`, make: 'Make the link', shown: (uses, when) => `Works for ${uses === '1' ? 'one person' : `${uses} people`}, until ${when}. It is shown this once.`,
      forMembers: 'For members', forGuests: 'For guests', forPerson: (name) => `For ${name}`, rooms: (names) => `Into ${names.join(', ')}`, otherRoom: 'a room you are not in', used: (uses, most) => `Used ${uses} of ${most}`, until: (when) => `until ${when}`, by: (name) => `By ${name}`, host: 'On the server itself',
      works: 'Works', isUsed: 'Used up', isOver: 'Over', wasRevoked: 'Revoked', revoke: 'Revoke', confirmRevoke: 'Revoke this invitation?', confirmRevokeDetail: 'The link stops working at once. Whoever has joined by it stays.', revoked: 'The invitation is revoked.',
    },
    signIns: {
      lead: 'How everybody signs in, and when they were last here.', hasPassword: 'Password', noPassword: 'No password', lastSeen: 'Last seen', neverSeen: 'Not seen yet', has: (devices, tokens) => `${plural(devices, 'device', 'devices')}${tokens ? `, ${plural(tokens, 'token', 'tokens')}` : ''}`, count: (count) => plural(count, 'person', 'people'),
      methods: { password: 'Signed in by password', transfer: 'Signed in from another device', reset: 'Signed in by a link to choose a password', join: 'Joined by the join link', invitation: 'Joined by an invitation', setup: 'Set the team up', provider: 'Signed in by an identity provider', code: 'Second step' }, secondStep: 'Second step', noSecondStep: 'No second step', removeSecondStep: 'Remove second step', confirmSecondStep: (name) => `Remove the second step of ${name}?`, confirmSecondStepDetail: 'For somebody who lost the app and the recovery codes. Be sure that it is they who ask. All their devices are signed out, and the password alone lets them in.',
      sessions: 'Devices', sessionsOf: (name) => `Where ${name} is signed in`, noSessions: 'Signed in nowhere.', token: 'API token', since: (when) => `Since ${when}`, end: 'Sign out', ended: 'Signed out.', endAll: 'Sign out everywhere', confirmEndAll: (name) => `Sign ${name} out everywhere?`, confirmEndAllDetail: 'All devices are signed out, and all API tokens and links end. They can sign in again.',
      failed: 'Failed attempts', failedLead: 'Counted by day, account and network, and kept for 30 days. What was typed is not kept.', noneFailed: 'Nobody failed to sign in.', noAccount: 'No account by that e-mail', attempts: (count, network) => `${plural(count, 'attempt', 'attempts')} from ${network}`, lastAttempt: 'The last one',
    },
    bots: {
      lead: 'Bots are programs that post messages. Each has a key to write with and, if you like, an address that is called when somebody mentions it. Bots written for Campfire by 37signals work unchanged.',
      new: 'New bot', name: 'Name', nameExample: 'Weather', webhook: 'Webhook address (optional)', webhookHint: 'Is called for each message that mentions the bot, and for each in a direct room with it. What it answers is posted as its reply.',
      create: 'Create bot', hello: 'Hello', keyOf: (name) => `The key of ${name}`, key: 'Key', room: 'Say hello in', tryIt: 'Try it', yours: 'Your bots', none: 'No bots yet. A few lines of script are enough for one that says good morning.', calls: 'Calls', callsNothing: 'Calls no address',
      actions: (name) => `What to do with ${name}`, edit: 'Edit', editTitle: (name) => `Edit ${name}`, crop: 'The bot’s picture', renew: 'New key', confirmRenew: (name) => `Make a new key for ${name}?`, confirmRenewDetail: 'The old key stops working at once. The new one is shown once.',
      remove: 'Remove', confirmRemove: (name) => `Remove ${name}?`, confirmRemoveDetail: 'Its key stops working and it leaves every room. What it said stays.', removed: (name) => `${name} is removed.`,
      where: 'Where bots are', whereLines: ['A bot is in every open room from the start.', 'Into a closed room it comes like a person: open the settings of the room and add it to the members.', 'Write to it directly, and it is told of every word, if it has a webhook.', 'A room’s number is in its address: /rooms/7.'],
    },
    hooks: {
      lead: 'A webhook is an address for one room. Whatever a service sends there in Slack’s format appears in the room: alerts, deployments, forms. For services that know Slack, this address goes where Slack’s would.',
      new: 'New webhook', name: 'Name', nameExample: 'Grafana', nameHint: 'Its messages carry this name.', room: 'Room', format: 'Format', formatOf: (name) => `Format of ${name}`, formats: { auto: 'Find out by itself', slack: 'Slack', markdown: 'Markdown (Mattermost)' }, formatHint: 'How the service marks up its texts. By itself is right for nearly all.', formatSaved: 'Saved.', create: 'Create webhook', made: (name) => `The address of “${name}”`, address: 'Address', tryIt: 'Try it', hello: 'Hello',
      yours: 'Your webhooks', none: 'No webhooks yet. Monitoring, builds and shops can all report to a room.', into: 'Into', elsewhere: 'a room you are not in', confirm: (name) => `Delete the webhook “${name}”?`, confirmDetail: 'What is sent to its address is refused from now on. What it said stays.', removed: (name) => `The webhook “${name}” is deleted.`,
    },
    emoji: {
      lead: 'Pictures of your own. Write the name between colons in a message, or pick them like any other emoji.', new: 'New emoji', name: 'Name', nameHint: 'Small letters, digits and the signs _ - +. Of a name that is there already the picture is replaced.',
      picture: 'Picture', pictureHint: 'PNG, GIF, JPEG or WebP. It moves if it has at most 256 KB and 512 pixels on either side.', add: 'Add emoji', added: (name) => `${name} is here.`, yours: 'Your emoji', none: 'No emoji of your own yet.', find: 'Find by name', noneFound: 'No emoji of that name.', count: (count) => `${count} emoji`,
      remove: 'Remove', confirm: (name) => `Remove ${name}?`, confirmDetail: 'Where it was written, its name is shown.', removed: (name) => `${name} is removed.`,
    },
    css: {
      lead: 'Styles of your own, for everybody. While you write, only this page changes; the others see it once you save.', label: 'Custom CSS', example: ':root { --ember: #1d6fb8 }', tabHint: 'Tab indents by two spaces. To leave the field by keyboard, press Esc, then Tab.',
      save: 'Save for everybody', saved: 'Saved. Everybody sees it now.', undo: 'Discard changes', reset: 'Remove all', confirmReset: 'Remove all custom styles?', confirmResetDetail: 'Everybody sees Campfire as it came. What is written here is gone.', resetDone: 'The custom styles are removed.',
      tried: 'Only you see this so far.', asSaved: 'This is what everybody sees.', tooLong: (bytes, most) => `This has ${bytes} bytes, and at most ${most} are kept.`, wayBack: 'If something vanished and you cannot get back here, open the page without custom styles:',
      names: 'What you can set', namesLead: 'These properties colour the whole page. Choose one to add it with its present value. Light and dark have values of their own: it is added for the one you see.', insert: 'Add to the styles',
      meanings: {
        '--paper': 'the background of the messages', '--raised': 'fields, menus', '--sunken': 'the sidebar, code', '--line': 'thin lines', '--edge': 'borders of fields', '--ink': 'text', '--soft': 'secondary text', '--faint': 'times and hints',
        '--ember': 'the accent: what is yours', '--ember-ink': 'text on the accent', '--ember-wash': 'a light tint of the accent', '--mine': 'behind your messages', '--mention': 'behind mentions of you', '--online': 'who is here', '--good': 'what went well', '--danger': 'what cannot be undone', '--font': 'the typeface', '--mono': 'the typeface of code',
      },
    },
    jobs: {
      lead: 'Calling webhooks, sending notifications, looking at links: all of it is done in the background, and tried again if it fails.', failed: 'Given up', failedLead: 'These failed too often, or can never work.', noneFailed: 'All is well: nothing was given up.', waiting: 'Waiting', noneWaiting: 'Nothing waits.', refresh: 'Look again',
      kinds: { webhook: 'Calling a bot’s webhook', notify: 'Working out whom to notify', push: 'Sending a notification', preview: 'Looking at a link for its preview', remove_files: 'Removing files', remove_messages: 'Removing the messages of somebody banned', await_mail: 'Working out whom to mail', mail_unread: 'Mailing somebody what they have not read', mail: 'Sending a mail' },
      attempts: (count) => plural(count, 'try', 'tries'), gaveUp: 'given up', retry: 'Try again', retryAll: 'Try all again', retried: 'It is tried again.', drop: 'Drop', confirmDrop: 'Drop this job?', confirmDropDetail: 'It will never be done. Nothing else changes.', due: 'Is about to be done', runsAt: (when) => `Is tried again ${when}`,
      because: (error) => {
        if (/^the (mail server|connection to the mail server|address is)|^its content/.test(error)) return `${error[0].toUpperCase()}${error.slice(1)}.`;
        const status = /answered (\d+)/.exec(error)?.[1];
        if (/push service answered/.test(error)) return `The push service refused it (status ${status}).`;
        if (status) return status >= 500 ? `The other server has a fault of its own (status ${status}).` : status === '404' ? 'There is nothing at that address (status 404).' : status === '401' || status === '403' ? `The other server does not let us in (status ${status}).` : `The other server refused it (status ${status}).`;
        if (/not a public one/.test(error)) return 'The address is inside a private network, and those are not called. Whoever runs the server can allow it.';
        if (/too long|timed? ?out/i.test(error)) return 'The other server took too long to answer.';
        if (/refused|unreachable|reset/i.test(error)) return 'The other server cannot be reached.';
        if (/no address|name server|dns|lookup/i.test(error)) return 'There is no server by that name.';
        if (/certificate|tls/i.test(error)) return 'The other server’s certificate is not trusted.';
        if (/redirect/.test(error)) return 'The other server sends us elsewhere, too often or to another host.';
        if (/too large/.test(error)) return 'The answer was too large.';
        return error ? `The reason given: ${error}` : 'No reason is known.';
      },
    },
    audit: {
      lead: 'What was done with the rights of an administrator, newest first.', none: 'Nothing yet. From now on, what administrators do is written down here.', older: 'Show older', host: 'On the server itself', from: (address) => `from ${address}`, stranger: 'Somebody unknown',
      numbered: (kind, id) => ({ user: `person ${id}`, bot: `bot ${id}`, room: `room ${id}`, hook: `webhook ${id}`, job: `job ${id}`, invitation: `invitation ${id}` })[kind] || `${kind} ${id}`, hookIn: (name, room) => `“${name}” for ${room}`,
      actions: {
        'account.change': () => 'Changed the settings of the team', 'account.join_code': () => 'Made a new join link', 'account.logo': () => 'Changed the logo', 'bot.create': (what) => `Created the bot ${what}`, 'bot.change': (what) => `Changed the bot ${what}`, 'bot.key': (what) => `Made a new key for the bot ${what}`, 'bot.remove': (what) => `Removed the bot ${what}`,
        'room.delete': (what) => `Deleted ${what}`, 'hook.create': (what) => `Created the webhook ${what}`, 'hook.change': (what) => `Changed ${what}`, 'hook.remove': (what) => `Deleted ${what}`, 'emoji.put': (what) => `Added the emoji ${what}`, 'emoji.remove': (what) => `Removed the emoji ${what}`, 'user.invite': (what) => `Invited ${what}`, 'invitation.create': (what) => `Made an invitation: ${what}`, 'invitation.use': (what) => `Joined by ${what}`, 'invitation.revoke': (what) => `Revoked ${what}`, 'user.sign_in_link': (what) => `Made a link for ${what} to sign in`, 'user.end_session': (what) => `Signed ${what} out on a device`, 'user.end_sessions': (what) => `Signed ${what} out everywhere`, 'user.deactivate': (what) => `Deactivated ${what}`, 'user.ban': (what) => `Banned ${what}`, 'user.lift_ban': (what) => `Lifted the ban on ${what}`, 'user.sign_in_failed': (what) => `Was turned away, coming from ${what}`, 'user.sign_in': (what) => `${what} signed in by a provider`, 'user.create': (what) => `${what} came in by a provider for the first time`, 'user.claim': (what) => `${what} took over the account that was moved here, by a provider`, 'user.link': (what) => `Linked an account at a provider to ${what}`, 'user.unlink': (what) => `Unlinked an account at a provider from ${what}`,
        'second_factor.on': (what) => `Turned on the second step of ${what}`, 'second_factor.off': (what) => `Turned off the second step of ${what}`, 'second_factor.recovery_codes': (what) => `Made new recovery codes for ${what}`, 'second_factor.reset': (what) => `Removed the second step of ${what}`, 'user.create_admin': (what) => `Made ${what} an administrator`, 'user.reset_password': (what) => `Made a link for ${what} to choose a new password`, 'job.retry': (what) => `Had ${what} tried again`, 'job.drop': (what) => `Dropped ${what}`, 'user.mail_reset': (what) => `A link to choose a new password was mailed to ${what}`,
      },
      userChange: { 'role admin': (what) => `Made ${what} an administrator`, 'role member': (what) => `Made ${what} a member`, 'role guest': (what) => `Made ${what} a guest`, other: (what) => `Edited ${what}` },
    },
  },
};
