// Background jobs: those that failed and those that wait.

import { get, post, remove } from '../../api.js';
import { confirmDialog } from '../../components/dialog.js';
import { toast } from '../../components/toast.js';
import { h } from '../../dom.js';
import { icon } from '../../icons.js';
import { texts } from '../../texts.js';
import { actionButton, ago, block, dateAndTime, line, list, loaded, nothing, page } from './parts.js';

const ASKED = 200;

export function jobs() {
  const words = texts.admin.jobs;
  const refresh = () => {
    failed.refresh();
    waiting.refresh();
  };
  const failed = loaded(() => get(`/api/jobs?limit=${ASKED}`), ({ jobs: all }) => (all.length ? [list(words.failed, all.map((job) => one(job, refresh))), all.length > 1 ? retryAll(all, refresh) : null] : nothing('check', words.noneFailed)), { lines: 1 });
  const waiting = loaded(() => get(`/api/jobs?state=waiting&limit=${ASKED}`), ({ jobs: all }) => (all.length ? list(words.waiting, all.map(waits)) : nothing('check', words.noneWaiting)), { lines: 1 });
  return page('jobs', words.lead, block(words.failed, words.failedLead, failed.element), block(words.waiting, '', waiting.element),
    h('div', { class: 'row' }, h('button', { type: 'button', class: 'button', onclick: refresh }, icon('refresh'), words.refresh)));
}

const kindOf = (job) => texts.admin.jobs.kinds[job.kind] || job.kind;

function one(job, refresh) {
  const words = texts.admin.jobs;
  const name = kindOf(job);
  return line({
    face: 'warning', name, key: `job-${job.id}`,
    facts: [words.because(job.error || ''), [words.attempts(job.attempts), ' · ', words.gaveUp, ' ', ago(job.dead_at)]],
    actions: [
      actionButton(words.retry, async () => { await post(`/api/jobs/${job.id}/retry`); toast(words.retried); refresh(); }, { about: name }),
      h('button', { type: 'button', class: 'button button-small is-danger', 'aria-label': `${words.drop}: ${name}`, onclick: () => confirmDialog(words.confirmDrop, words.drop, async () => {
        await remove(`/api/jobs/${job.id}`);
        refresh();
      }, { detail: words.confirmDropDetail }) }, words.drop)],
  });
}

function retryAll(jobs, refresh) {
  const words = texts.admin.jobs;
  return h('div', { class: 'row' }, actionButton(words.retryAll, async () => {
    for (const job of jobs) await post(`/api/jobs/${job.id}/retry`);
    toast(words.retried);
    refresh();
  }));
}

function waits(job) {
  const words = texts.admin.jobs;
  const isDue = new Date(job.run_at) <= new Date();
  return line({ face: 'history', name: kindOf(job), key: `job-${job.id}`, facts: [isDue ? words.due : words.runsAt(dateAndTime(job.run_at)), job.attempts ? [words.attempts(job.attempts), job.error ? ` · ${words.because(job.error)}` : ''] : null] });
}
