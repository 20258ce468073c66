// The sections for administrators.

import { account } from './account.js';
import { audit } from './audit.js';
import { bots } from './bots.js';
import { css } from './css.js';
import { emoji } from './emoji.js';
import { hooks } from './hooks.js';
import { invite } from './invite.js';
import { jobs } from './jobs.js';
import { people } from './people.js';
import { signIns } from './sign-ins.js';

export const team = { account, invite, people, signins: signIns, bots, hooks, emoji, css, jobs, audit };
