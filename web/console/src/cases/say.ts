// How a case stands, in words and signs.

import { howLong, t } from '../../../face/words'
import { nameOf } from '../live'
import type { Case, Happened } from './kinds'

/** From here on a clock that still runs is shown as near its end. */
const SOON_MS = 24 * 3_600_000

const SIGNS: Record<string, string> = { request: '▤', question: '?', complaint: '!', leak_report: '▲', suggestion: '✎', abuse_report: '⊘' }

export const kindSign = (kind: string) => SIGNS[kind] ?? '·'

export interface Clock {
  look: 'calm' | 'soon' | 'over' | 'kept'
  sign: string
  text: string
}

/** The promise's clock: calm, near its end, over, or stopped in time. */
export function clockOf(it: Case, now: number): Clock | null {
  const { promise } = it
  if (!promise) return null
  const { rule, due_at } = promise
  if (promise.state === 'kept') return { look: 'kept', sign: '✓', text: t('case.clock_kept', { rule }) }
  if (it.told_at !== null) return { look: 'over', sign: '✕', text: t('case.clock_late', { rule, over: howLong(it.told_at - due_at) }) }
  const left = due_at - now
  if (left < 0 || promise.state === 'broken') return { look: 'over', sign: '‼', text: t('desk.promise_over', { rule, over: howLong(-left) }) }
  const soon = left < SOON_MS
  return { look: soon ? 'soon' : 'calm', sign: soon ? '◕' : '◔', text: t('desk.promise_left', { rule, left: howLong(left) }) }
}

/** What happened, said in a line; its words stand below. */
export function happenedWords(it: Happened): string {
  const places = {
    to: nameOf(it.to ?? null),
    channel: it.channel ? t(`channel.${it.channel}`) : '',
    founded: it.founded === undefined ? '' : t(it.founded ? 'case.founded' : 'case.unfounded'),
  }
  if (it.type === 'told') return t(it.reached ? 'case.happened.told' : 'case.happened.not_reached', places)
  if (it.type === 'decided' && it.founded !== undefined) return t('case.happened.decided_founded', places)
  return t(`case.happened.${it.type}`, places)
}
