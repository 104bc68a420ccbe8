// The hall as it is now: every job by the live stream, people and phones beside it. Says so when it is behind.

import { computed, reactive, ref, shallowReactive, shallowRef, triggerRef } from 'vue'
import { all } from './api'
import type { Device, Job, Person } from './kinds'

/** A stream that was silent for so long while the clock jumped has slept. */
const SLEPT_MS = 40_000
const LOOK_EVERY_MS = 10_000
const OPEN_AGAIN_MS = 3_000
const NEWS = ['application', 'case', 'cash', 'household', 'leak', 'outage', 'reminder', 'answer'] as const

/** What was over before is asked for when somebody looks at its day. */
const KEPT_MS = 14 * 86_400_000

/** Every open job of the hall, and what was over lately. */
export const jobs = shallowRef(new Map<string, Job>())
export const people = shallowReactive(new Map<string, Person>())
export const devices = shallowRef<Device[]>([])
/** Now, told once a second for everything that shows an age. */
export const now = ref(Date.now())

/** Whether what is shown is what is. */
export const link = reactive({ live: false, since: Date.now(), hasJobs: false })

/** Jobs in the order in which they changed last, for who wants to see what happens. */
export const happened = shallowRef<{ job: string; at: number }[]>([])

type Listener = (job: Job) => void
const listeners = new Set<Listener>()

/** Calls for each job that changes, until the returned function is called. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

type News = (typeof NEWS)[number]
type NewsListener = (what: News, id: string) => void
const newsListeners = new Set<NewsListener>()

/** Calls when a case, a household or a reminder changed, with no id when nobody knows what was missed; until the returned function is called. */
export function onNews(listener: NewsListener): () => void {
  newsListeners.add(listener)
  return () => newsListeners.delete(listener)
}

function news(what: News, id: string): void {
  for (const listener of newsListeners) listener(what, id)
}

let stream: EventSource | null = null
let again: ReturnType<typeof setTimeout> | undefined
let timers: ReturnType<typeof setInterval>[] = []

export function follow(): void {
  open()
  void look()
  let last = Date.now()
  timers = [
    setInterval(() => {
      const at = Date.now()
      // After sleep nobody knows whether the stream still stands: another one does.
      if (at - last > SLEPT_MS) open()
      last = now.value = at
    }, 1_000),
    setInterval(() => void look(), LOOK_EVERY_MS),
  ]
}

export function unfollow(): void {
  stream?.close()
  stream = null
  clearTimeout(again)
  timers.forEach(clearInterval)
  link.live = link.hasJobs = false
  jobs.value = new Map()
}

function open(): void {
  stream?.close()
  clearTimeout(again)
  const mine = (stream = new EventSource(`/api/live?since=${Date.now() - KEPT_MS}`))
  const says = (live: boolean) => {
    if (link.live !== live) Object.assign(link, { live, since: Date.now() })
  }
  mine.addEventListener('open', () => says(true))
  mine.addEventListener('error', () => {
    says(false)
    // The browser itself goes on after a broken line, with the last id; not after a refusal.
    if (mine.readyState === EventSource.CLOSED) again = setTimeout(open, OPEN_AGAIN_MS)
  })
  mine.addEventListener('snapshot', (event) => {
    const { jobs: listed } = JSON.parse((event as MessageEvent<string>).data) as { jobs: Job[] }
    jobs.value = new Map(listed.map((job) => [job.id, job]))
    link.hasJobs = true
    says(true)
    for (const what of NEWS) news(what, '')
  })
  for (const what of NEWS) {
    mine.addEventListener(what, (event) => {
      says(true)
      news(what, (JSON.parse((event as MessageEvent<string>).data) as Record<News, string>)[what])
    })
  }
  mine.addEventListener('job', (event) => {
    const { job, at } = JSON.parse((event as MessageEvent<string>).data) as { job: Job; at: number }
    says(true)
    known(job, at)
  })
}

/** Asks for the jobs of a day that is long over, where the stream does not tell of them. */
export async function lookAt(day: string, start: number): Promise<void> {
  if (start >= Date.now() - KEPT_MS) return
  const listed = await all<Job>(`/api/jobs?day=${day}`, 'jobs').catch(() => [])
  for (const job of listed) if (!jobs.value.has(job.id)) jobs.value.set(job.id, job)
  triggerRef(jobs)
}

/** Takes a job as the hall said it is; an older word does not undo a newer one. */
function known(job: Job, at: number): void {
  const before = jobs.value.get(job.id)
  if (before && before.position > job.position) return
  jobs.value.set(job.id, job)
  fresh.push({ job: job.id, at })
  // A burst is drawn once.
  drawing ??= setTimeout(draw, 16)
  for (const listener of listeners) listener(job)
}

const fresh: { job: string; at: number }[] = []
let drawing: ReturnType<typeof setTimeout> | undefined

function draw(): void {
  drawing = undefined
  triggerRef(jobs)
  const news = new Map(fresh.splice(0).map((it) => [it.job, it]))
  const newest = [...news.values()].reverse()
  happened.value = [...newest, ...happened.value.filter((it) => !news.has(it.job))].slice(0, 200)
}

/** People and phones, which the stream does not tell of. */
async function look(): Promise<void> {
  try {
    const [persons, phones] = await Promise.all([all<Person>('/api/users', 'users'), all<Device>('/api/devices', 'devices')])
    for (const person of persons) people.set(person.id, person)
    devices.value = phones
  } catch {
    // The strip already says that the hall is not heard.
  }
}

/** The technicians of the hall, by name. */
export const technicians = computed(() =>
  [...people.values()].filter((it) => it.role === 'technician').sort((a, b) => a.name.localeCompare(b.name, 'zh-CN')),
)

/** When a technician's phone was heard last, and what it still holds alone. */
export function phoneOf(technician: string | null): { heardAt: number | null; pending: number } {
  const mine = devices.value.filter((it) => it.user === technician && it.revoked_at === null)
  const heard = mine.map((it) => it.heard_at ?? 0)
  return { heardAt: Math.max(0, ...heard) || null, pending: mine.reduce((sum, it) => sum + it.pending, 0) }
}

export function nameOf(person: string | null): string {
  return (person && people.get(person)?.name) || '—'
}
