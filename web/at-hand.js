// Components that are often needed, but not for the first view, loaded as one part.

import { openBoosters, openBoostPicker } from './components/boost-picker.js';
import { completion } from './components/completion.js';
import { emojiSource } from './components/emoji-words.js';
import { mentionSource } from './components/mention-picker.js';
import { editMessage } from './components/message-edit.js';
import { confirmRemove, openMessageMenu } from './components/message-menu.js';
import { newRoom, pingSomebody } from './components/people.js';
import { openProfile } from './components/profile-card.js';
import { openRoomPeople } from './components/room-people.js';
import { slashSource } from './components/slash-picker.js';
import { switcher } from './components/switcher.js';

export const parts = {
  completion, confirmRemove, editMessage, emojiSource, mentionSource, newRoom, openBoosters, openBoostPicker, openMessageMenu, openProfile, openRoomPeople, pingSomebody, slashSource, switcher,
};
