// How each technician is reached, as the server knows it this minute.

import { shallowRef } from 'vue'
import { get } from './api'

/** One phone's way on the lock screen. */
export interface PushWay {
  device: string
  sent_at: number | null
  failed_at: number | null
  last_error: string | null
  ended_at: number | null
  ended_reason: string | null
}

export interface Channels {
  user: string
  name: string
  stream_open: boolean
  stream_seen_at: number | null
  pushes: PushWay[]
  phone: string | null
}

export interface AllChannels {
  technicians: Channels[]
  gateway: { listens: boolean; told: number; sent_at: number | null }
}

/** The best way to somebody now. */
export type Way = 'open' | 'push' | 'gateway' | 'none'

export const MARKS: Record<Way, string> = { open: '●', push: '◐', gateway: '☏', none: '✕' }

/** The best way to each technician, looked at again while a screen shows it. */
export const ways = shallowRef<ReadonlyMap<string, Way>>(new Map())

const LOOK_EVERY_MS = 15_000

export function watchWays(): () => void {
  const look = async () => {
    if (document.hidden) return
    // A board without these signs is still a board.
    const found = await channels().catch(() => null)
    if (found) ways.value = new Map(found.technicians.map((it) => [it.user, wayTo(it, found.gateway.listens)]))
  }
  void look()
  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  return () => clearInterval(timer)
}

export const channels = (): Promise<AllChannels> => get<AllChannels>('/api/channels')

export function wayTo(it: Channels, gatewayListens: boolean): Way {
  if (it.stream_open) return 'open'
  const takes = (push: PushWay) => push.ended_at === null && (push.failed_at ?? 0) <= (push.sent_at ?? push.failed_at ?? 0)
  if (it.pushes.some((push) => takes(push) && (push.failed_at === null || push.sent_at !== null))) return 'push'
  return gatewayListens || it.phone ? 'gateway' : 'none'
}
