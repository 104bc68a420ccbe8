// What the hall says of one visit, and what is answered to it; the token is in the page's own address and nowhere else.

import type { Sentence } from './words'

export interface Span {
  start: number
  end: number
}

export interface Track {
  hall: string
  utc_offset_minutes: number
  language: 'zh' | 'en'
  kind: string
  status: string
  status_since: number | null
  heard_at: number | null
  now: number
  window: Span | null
  expected_at: number | null
  technician: { name: string; card: string; has_portrait: boolean } | null
  copy: { ended_at: number; lines: Sentence[] } | null
  rating: { score: number; words: string; changes_until: number } | null
  wish: { window: Span; state: 'open' | 'agreed' | 'declined' } | null
  may: { ask: boolean; wish: boolean; rate: boolean }
  until: number
}

/** Why nothing came: the link opens nothing, too often, or anything else in words. */
export class Refused extends Error {
  constructor(readonly status: number, words: string) {
    super(words)
  }
}

const token = location.pathname.split('/').pop() ?? ''

export async function ask<T>(method: string, what = '', body?: unknown): Promise<T> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const reply = await fetch(`/api/track/${token}${what}`, { method, ...sent, cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer' })
  const text = await reply.text()
  const said = text ? (JSON.parse(text) as unknown) : undefined
  if (!reply.ok) throw new Refused(reply.status, String((said as { detail?: string } | undefined)?.detail ?? reply.status))
  return said as T
}

export const portrait = `/api/track/${token}/portrait`
