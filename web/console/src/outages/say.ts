// How outages are said: a sign beside each word, and times of the hall's city.

import { clock, dayAndClock, dayOf, howLong, t } from '../../../face/words'
import { offset } from '../session'
import type { Count, HomeOutage, Outage, OutageState, Promise13 } from './kinds'

const SIGNS: Record<OutageState, string> = { draft: '○', coming: '◷', running: '■', overdue: '‼', ended: '✓', cancelled: '⊘' }

export const stateSign = (state: OutageState) => SIGNS[state]

/** From–until, the day of the end only where it is another. */
export function spanOf(it: { from: number; until: number }): string {
  const sameDay = dayOf(it.from, offset()) === dayOf(it.until, offset())
  return `${dayAndClock(it.from, offset())}–${sameDay ? clock(it.until, offset()) : dayAndClock(it.until, offset())}`
}

/** How near its next turn is. */
export function nearness(it: Outage, now: number): string {
  if (it.state === 'coming') return t('outage.begins_in', { time: howLong(it.from - now) })
  if (it.state === 'running') return t('outage.ends_in', { time: howLong(it.until - now) })
  if (it.state === 'overdue') return t('outage.over_since', { time: howLong(now - it.until) })
  return ''
}

/** The promise with its sign; the look is that of a case's clock. */
export function promiseOf(it: Promise13, now: number): { look: string; sign: string; text: string } {
  const left = it.due_at - now
  if (it.state === 'kept') return { look: 'kept', sign: '✓', text: t('outage.promise.kept', { rule: it.rule }) }
  if (it.state === 'broken') return { look: 'over', sign: '‼', text: t('outage.promise.broken', { rule: it.rule, time: howLong(-left) }) }
  const look = it.is_at_risk ? { look: 'soon', sign: '◕' } : { look: 'calm', sign: '◔' }
  return { ...look, text: t('outage.promise.running', { rule: it.rule, time: howLong(left) }) }
}

/** What a caller is told. */
export function homeWords(it: HomeOutage): string {
  const places = { area: it.area, reason: it.reason, from: dayAndClock(it.from, offset()), until: dayAndClock(it.until, offset()), at: dayAndClock(it.ended_at ?? it.until, offset()) }
  return t(`outage.home.${it.state}`, places)
}

/** How a household was told, or how its message stands. */
export function toldKey(it: { how: string | null; state: string | null }): string {
  if (it.how) return it.how
  return it.state ?? 'waiting'
}

export function toldWords(key: string): string {
  return key === 'message' || key === 'door' ? t(`outage.how.${key}`) : t(`told.state.${key}`)
}

const TOLD_SIGNS: Record<string, string> = { message: '✓', door: '✓', waiting: '◷', sending: '…', failed: '✕' }

export const toldSign = (key: string) => TOLD_SIGNS[key] ?? '✕'

/** Counts of households by how they were told, those who were first. */
export function grouped(counts: Count[]): { key: string; count: number; failing: number }[] {
  const order = ['message', 'door', 'sending', 'waiting']
  const sums = new Map<string, { count: number; failing: number }>()
  for (const it of counts) {
    const { count = 0, failing = 0 } = sums.get(toldKey(it)) ?? {}
    // Who was told at the door may still have a message under way.
    sums.set(toldKey(it), { count: count + it.households, failing: failing + (it.how ? 0 : it.failing) })
  }
  const rank = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length)
  return [...sums].map(([key, sum]) => ({ key, ...sum })).sort((a, b) => rank(a.key) - rank(b.key))
}
