// How a job stands, in words and signs: what a dispatcher has to see before reading.

import { clock, howLong, t } from '../../face/words'
import type { Job } from './kinds'
import { nameOf, phoneOf } from './live'
import { offset } from './session'

const OVER = ['done', 'cancelled']
/** Came to an end at the door without the work being done: somebody has to decide what is next. */
const ENDED = ['no_one_home', 'refused', 'empty', 'wrong_address', 'cannot_finish']
const AT_WORK = ['set_out', 'at_door', 'working']
/** A phone at work that says nothing for so long may be in a basement, or dead. */
export const SILENT_MS = 15 * 60_000

const SIGNS: Record<string, string> = {
  unassigned: '○', assigned: '◔', set_out: '▶', at_door: '◆', working: '■', done: '✓', cancelled: '✕',
  no_one_home: '∅', refused: '⊘', empty: '▢', wrong_address: '?', cannot_finish: '!',
}

export const sign = (job: Job) => SIGNS[job.status] ?? '·'
export const isOver = (job: Job) => OVER.includes(job.status)
export const isOpen = (job: Job) => !OVER.includes(job.status) && !ENDED.includes(job.status)
export const isAtWork = (job: Job) => AT_WORK.includes(job.status)

export function windowWords(job: Job): string {
  if (!job.window) return t('desk.window_none')
  return t('desk.window', { from: clock(job.window.start, offset()), to: clock(job.window.end, offset()) })
}

/** The promise's clock, while it runs or is broken. */
export function promiseWords(job: Job, now: number): { text: string; urgent: boolean } | null {
  const promise = job.promise
  if (!promise || !['running', 'broken', 'not_heard'].includes(promise.state)) return null
  const left = promise.due_at - now
  const text =
    left >= 0
      ? t('desk.promise_left', { rule: promise.rule, left: howLong(left) })
      : t('desk.promise_over', { rule: promise.rule, over: howLong(-left) })
  return { text, urgent: left < 3_600_000 }
}

/** Whether anybody can know how it stands: a phone at work that is silent leaves it open. */
export function known(job: Job, now: number): { fine: boolean; text: string } | null {
  if (!isAtWork(job)) return null
  const { heardAt } = phoneOf(job.technician)
  const silent = heardAt === null ? Infinity : now - heardAt
  if (silent < SILENT_MS) return { fine: true, text: t('desk.phone_heard', { age: howLong(silent) }) }
  return { fine: false, text: heardAt === null ? t('desk.phone_never') : t('desk.silent', { age: howLong(silent) }) }
}

/** What may be told to whoever calls about their own job: nothing of others, and no guess as a fact. */
export function tellCaller(job: Job, now: number): string {
  const who = nameOf(job.technician)
  const from = job.window ? clock(job.window.start, offset()) : ''
  const to = job.window ? clock(job.window.end, offset()) : ''
  if (!isOpen(job)) return t('desk.tell.over', { status: t(`status.${job.status}`) })
  if (job.technician && !job.window) return t('desk.tell.no_window', { who })
  if (job.status === 'assigned' && job.window && job.window.end < now) return t('desk.tell.overdue', { who, from, to })
  return t(`desk.tell.${job.status}`, { who, from, to })
}

/** Most urgent first: emergencies, then what was promised or agreed soonest, then what came first. */
export function byUrgency(a: Job, b: Job): number {
  const rank = (job: Job) => (job.kind === 'emergency' ? 0 : 1)
  const due = (job: Job) => Math.min(job.promise?.due_at ?? Infinity, job.window?.end ?? Infinity)
  return rank(a) - rank(b) || compare(due(a), due(b)) || a.created_at - b.created_at
}

const compare = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1)
