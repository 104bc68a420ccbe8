// How an application stands, in words and signs; what the pack names is said in its own words.

import { shallowRef } from 'vue'
import { named, t } from '../../../face/words'
import { get } from '../api'
import type { Application, Counter, Happened, Procedure } from './kinds'

/** What the desk keeps to, by the rule pack that holds now. */
export const counter = shallowRef<Counter | null>(null)

export async function readCounter(): Promise<void> {
  counter.value ??= await get<Counter>('/api/counter')
}

const SIGNS: Record<string, string> = { open: '○', incomplete: '◐', accepted: '◔', done: '✓', refused: '✕', withdrawn: '↩' }
export const stateSign = (state: string) => SIGNS[state] ?? '·'

/** A procedure of an older pack is called by its key. */
export function procedureName(id: string): string {
  const known = counter.value?.procedures.find((it) => it.id === id)
  return known ? named(known) : id
}

export const yuan = (fen: number) => (fen / 100).toFixed(2)

/** Money is counted in fen: 12.5 is 1250, and nothing is rounded. */
export function fenOf(text: string): number | null {
  const [, whole, part = ''] = /^(\d{1,6})(?:\.(\d{1,2}))?$/.exec(text.trim()) ?? []
  return whole === undefined ? null : Number(whole) * 100 + Number(part.padEnd(2, '0'))
}

export const tripWords = (it: Application) => t('counter.trips', { count: it.trips })

/** What happened, said in a line; its words stand below. */
export function happenedWords(it: Happened, procedure: Procedure): string {
  const id = it.paper ?? it.fee ?? it.condition ?? it.item ?? ''
  const items = [...procedure.papers, ...procedure.fees, ...procedure.conditions]
  const item = items.find((one) => one.id === id)
  const places = {
    item: item ? named(item) : id,
    channel: it.channel ? t(`channel.${it.channel}`) : '',
    yuan: yuan(it.amount ?? 0),
    receipt: it.receipt || '—',
    count: it.missing?.length ?? 0,
    circumstances: (it.circumstances ?? []).map((one) => t(`circumstance.${one}`)).join('、') || '—',
    kind: it.kind ? t(`kind.${it.kind}`) : '',
  }
  return t(`counter.happened.${it.type}`, places)
}
