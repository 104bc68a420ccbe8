// Emergencies that nobody has reached, on every screen: who was called, what they said, and an alarm that sounds.

import { computed, shallowRef } from 'vue'
import { get } from '../api'
import { now, onChange, onNews } from '../live'

export interface Person {
  id: string
  name: string
  phone: string | null
}

export interface Called extends Person {
  at: number
  until: number
  /** When a phone showed them the call; `null` while nobody knows. */
  shown_at: number | null
  answer: 'accepted' | 'declined' | null
  reason: string
}

export interface Leak {
  job: string
  status: string
  account: string
  address: string
  /** No register knows the place; the address is what the caller said. */
  unregistered: boolean
  created_at: number
  due_at: number | null
  state: 'calling' | 'led' | 'alarm' | null
  caller_phone: string | null
  called: Called[]
  lead: Person | null
  supports: Person[]
  road_blocked: { reason: string; photo: string | null } | null
  alarm_at: number | null
  taken_by: Person | null
  taken_at: number | null
}

/** What the stream did not tell, or told while the line was down, is asked for so often. */
const LOOK_EVERY_MS = 5_000

export const leaks = shallowRef<Leak[]>([])
/** How far this machine's clock is from the server's: clocks count by the server's. */
const ahead = shallowRef(0)

/** The server's time, told once a second. */
export const serverNow = computed(() => now.value - ahead.value)

/** The alarms that nobody has taken on. */
export const alarms = computed(() => leaks.value.filter((it) => it.state === 'alarm' && !it.taken_by))

let reading: Promise<void> | null = null
let stale = false

/** Asks again; asked for while it reads, it reads once more. */
export function look(): void {
  stale = true
  reading ??= read().finally(() => (reading = null))
}

async function read(): Promise<void> {
  while (stale) {
    stale = false
    const asked = Date.now()
    const got = await get<{ leaks: Leak[]; now: number }>('/api/leaks').catch(() => null)
    // While the server is away, what was known goes on counting: nobody is told that an alarm is over.
    if (!got) return
    ahead.value = (asked + Date.now()) / 2 - got.now
    leaks.value = got.leaks
  }
}

/** Watches until the returned function is called. */
export function watchLeaks(): () => void {
  look()
  const deaf = onChange((job) => job.kind === 'emergency' && look())
  const silent = onNews((what) => what === 'leak' && look())
  const timer = setInterval(look, LOOK_EVERY_MS)
  return () => {
    deaf()
    silent()
    clearInterval(timer)
    leaks.value = []
  }
}

/** Minutes and seconds, behind the hours where there are some, as a clock on a wall shows them. */
export function minutes(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000)
  const two = (count: number) => String(count).padStart(2, '0')
  const [hours, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours ? `${hours}:${two(rest)}:${two(seconds % 60)}` : `${rest}:${two(seconds % 60)}`
}
