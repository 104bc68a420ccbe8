// Moving jobs: tried on paper first, then done with what the board saw as the condition, and undone by the way back.

import { clock, named, t } from '../../../face/words'
import { Problem, post, send } from '../api'
import type { Job, Outlook, Span } from '../kinds'
import { jobs, nameOf } from '../live'
import { tell } from '../parts/toast'
import { offset } from '../session'

export interface Move {
  technician: string | null
  window?: Span | undefined
  channel?: string | undefined
}

/** Asks the server what a move would do. */
export function outlook(job: Job, { technician, window }: Move): Promise<Outlook> {
  return send('POST', '/api/board/check', { job: job.id, technician, ...(window ? { window } : {}) })
}

/** Whether somebody would suffer by it, or may not be sent. */
export function isBad(seen: Outlook | null): boolean {
  return (seen?.late.length ?? 0) > 0 || (seen?.lacks_skills.length ?? 0) > 0
}

export function outlookWords(job: Job, seen: Outlook, move: Move): string {
  const skills = seen.lacks_skills.length ? ` · ${t('plan.lacks', { skills: seen.lacks_skills.map(named).join('、') })}` : ''
  const lacks = (seen.lacks_window ? ` · ${t('desk.check_lacks')}` : '') + skills
  if (seen.late.length) {
    const one = ({ job, will_minutes, was_minutes }: Outlook['late'][number]) =>
      t('desk.check_one', { address: addressOf(job), minutes: will_minutes - was_minutes })
    const who = seen.late.slice(0, 3).map(one).join('；')
    return t('desk.check_late', { count: seen.late.length, who }) + lacks
  }
  if (!move.technician) return t('desk.check_back')
  const at = clock(seen.reached_at ?? job.window?.start ?? Date.now(), offset())
  return t('desk.check_fits', { at }) + lacks
}

const addressOf = (job: string) => shortAddress(jobs.value.get(job)?.household.address ?? '')

/** An address without the city, which everybody here knows. */
export function shortAddress(address: string): string {
  return address.replace(/^.*?[市县](?:.{1,4}?区)?/, '') || address
}

/** Does a move; a job that somebody else changed meanwhile stays as they left it. */
export async function carryOut(job: Job, move: Move): Promise<void> {
  const before: Move = { technician: job.technician, window: job.window ?? undefined, channel: move.channel }
  const position = await editOrTell(job, job, move)
  if (position === null) return
  const undo = async () => {
    const now = { ...job, technician: move.technician, window: move.window ?? job.window, position }
    if ((await editOrTell(now, now, before)) !== null) tell({ text: t('desk.undone'), bad: false })
  }
  tell({ text: doneWords(job, move), bad: false, undo })
}

function doneWords(job: Job, move: Move): string {
  const address = shortAddress(job.household.address)
  if (move.window) {
    const { start, end } = move.window
    return t('desk.replanned', { address, from: clock(start, offset()), to: clock(end, offset()) })
  }
  if (move.technician) return t('desk.moved', { address, who: nameOf(move.technician) })
  return t('desk.moved_back', { address })
}

/** Writes what differs and returns the position of the job afterwards; refused when somebody else was faster. */
export async function edit(job: Job, seen: Job, move: Move): Promise<number> {
  let position = seen.position
  const path = (what: string) => `/api/jobs/${job.id}/${what}`
  const write = async (what: string, body: unknown) => {
    const { etag } = await post<{ etag: string }>(path(what), body, position)
    position = Number(etag.replaceAll('"', ''))
  }
  if (move.window && (move.window.start !== job.window?.start || move.window.end !== job.window?.end)) {
    await write('appointments', { window: move.window, channel: move.channel })
  }
  if (move.technician !== job.technician) await write('assignments', { technician: move.technician })
  return position
}

/** The same; returns nothing when somebody else was faster, and tells who. */
async function editOrTell(job: Job, seen: Job, move: Move): Promise<number | null> {
  try {
    return await edit(job, seen, move)
  } catch (error) {
    if (!(error instanceof Problem) || error.kind !== 'stale') throw error
    tell({ text: lostWords(job, error), bad: true })
    return null
  }
}

/** Whose change was faster, and what it was. */
export function lostWords(job: Job, lost: Problem): string {
  const current = lost.more['current'] as { standing?: { technician?: string | null; appointment?: Span | null } } | undefined
  const window = current?.standing?.appointment
  return t('desk.lost_race', {
    address: shortAddress(job.household.address),
    who: nameOf(current?.standing?.technician ?? null),
    window: window ? `${clock(window.start, offset())}–${clock(window.end, offset())}` : t('desk.window_none'),
  })
}
