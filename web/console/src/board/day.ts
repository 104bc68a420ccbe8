// The day on the board: its jobs by technician, where they were and will be, and what is not given out.

import { computed, ref, shallowRef } from 'vue'
import { dayOf } from '../../../face/words'
import { get } from '../api'
import type { Job, Leg, Rounds, Stay } from '../kinds'
import { jobs, technicians } from '../live'
import { offset } from '../session'
import { byUrgency, isOpen } from '../standing'

const SOON_MS = 250
const EVERY_MS = 30_000
const HOUR_MS = 3_600_000
/** A bar without a length of its own. */
const STUMP_MS = 15 * 60_000

export const today = () => dayOf(Date.now(), offset())
export const day = ref('')
const rounds = shallowRef<Rounds>({ rounds: [], stays: [] })
/** Whether the server said, once, how the rounds go: bars drawn before would jump. */
export const drawable = ref(false)
let timer: ReturnType<typeof setTimeout> | undefined
let asked = 0

/** Asks the server for the rounds of the day, once for a burst of changes, and again as time goes on. */
export function askRounds(soon = SOON_MS): void {
  clearTimeout(timer)
  timer = setTimeout(async () => {
    const mine = ++asked
    const got = await get<Rounds>(`/api/board/rounds?day=${day.value}`).catch(() => null)
    if (got && mine === asked) rounds.value = got
    drawable.value = true
    askRounds(EVERY_MS)
  }, soon)
}

export function stopAsking(): void {
  clearTimeout(timer)
}

/** The first instant of a day, in the hall's city. */
export function dayStart(of: string): number {
  return Date.parse(`${of}T00:00:00Z`) - offset() * 60_000
}

export function moveDay(days: number): void {
  day.value = new Date(Date.parse(`${day.value}T00:00:00Z`) + days * 24 * HOUR_MS).toISOString().slice(0, 10)
}

/** A job on the board. */
export interface Bar {
  job: Job
  start: number
  end: number
  /** How it is known: seen at the door, expected, or only agreed. */
  by: 'stay' | 'leg' | 'window'
  leg: Leg | null
  stay: Stay | null
  lane: number
}

export interface Row {
  technician: string
  name: string
  bars: Bar[]
  lanes: number
  windows: { start: number; end: number }[]
  open: number
  late: number
}

const dayJobs = computed(() => {
  const [from, until] = [dayStart(day.value), dayStart(day.value) + 24 * HOUR_MS]
  return [...jobs.value.values()].filter((job) => {
    const at = job.window?.start ?? job.created_at
    return at >= from && at < until
  })
})

/** What nobody has, most urgent first; without a window it is everybody's day. */
export const unassigned = computed(() => {
  const mine = new Set(dayJobs.value)
  return [...jobs.value.values()]
    .filter((job) => job.technician === null && isOpen(job) && (job.window === null || mine.has(job)))
    .sort(byUrgency)
})

const legs = computed(() => new Map(rounds.value.rounds.flatMap((round) => round.legs).map((leg) => [leg.job, leg])))
const stays = computed(() => new Map(rounds.value.stays.map((stay) => [stay.job, stay])))

/** What the board knows of where a job lies in the day. */
export function legOf(job: string): Leg | null {
  return legs.value.get(job) ?? null
}

export function stayOf(job: string): Stay | null {
  return stays.value.get(job) ?? null
}

export const rows = computed<Row[]>(() => {
  const byTechnician = new Map<string, Job[]>()
  for (const job of dayJobs.value) {
    if (!job.technician) continue
    const mine = byTechnician.get(job.technician)
    if (mine) mine.push(job)
    else byTechnician.set(job.technician, [job])
  }
  return technicians.value.map(({ id, name }) => {
    const mine = byTechnician.get(id) ?? []
    const bars = mine.map(bar).sort((a, b) => a.start - b.start || (a.job.id < b.job.id ? -1 : 1))
    const lanes = stack(bars)
    const windows = new Map(mine.flatMap((job) => (job.window ? [[`${job.window.start}-${job.window.end}`, job.window]] : [])))
    return {
      technician: id,
      name,
      bars,
      lanes,
      windows: [...windows.values()],
      open: mine.filter(isOpen).length,
      late: bars.filter((it) => (it.leg?.late_minutes ?? 0) > 0).length,
    }
  })
})

function bar(job: Job): Bar {
  const [leg, stay] = [legOf(job.id), stayOf(job.id)]
  const known = { job, leg, stay, lane: 0 }
  if (stay?.arrived_at) {
    const end = stay.ended_at ?? leg?.left_at ?? Math.max(Date.now(), stay.arrived_at + STUMP_MS)
    return { ...known, start: stay.arrived_at, end, by: 'stay' }
  }
  if (leg) return { ...known, start: leg.reached_at, end: leg.left_at, by: 'leg' }
  const start = job.window?.start ?? job.created_at
  return { ...known, start, end: start + STUMP_MS, by: 'window' }
}

/** The narrowest bar that can be read and hit, as time at the scale of a whole day. */
const NARROWEST_MS = 20 * 60_000

/** Puts bars that would cover each other under each other; returns how many lanes that takes. */
export function stack(bars: { start: number; end: number; lane: number }[]): number {
  const ends: number[] = []
  for (const it of bars) {
    const free = ends.findIndex((end) => end <= it.start)
    it.lane = free < 0 ? ends.length : free
    ends[it.lane] = Math.max(it.end, it.start + NARROWEST_MS)
  }
  return Math.max(1, ends.length)
}

/** What is shown besides the bars, such as what is only proposed. */
export const besides = shallowRef<{ start: number; end: number }[]>([])

/** The hours that the board shows: the usual ones, and whatever lies outside them. */
export const hours = computed(() => {
  const start = dayStart(day.value)
  const all = [...rows.value.flatMap((row) => row.bars), ...besides.value]
  const first = Math.min(7, ...all.map((it) => Math.floor((it.start - start) / HOUR_MS)))
  const last = Math.max(20, ...all.map((it) => Math.ceil((it.end - start) / HOUR_MS)))
  return { from: start + Math.max(0, first) * HOUR_MS, until: start + Math.min(30, last) * HOUR_MS }
})
