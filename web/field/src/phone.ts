// The page's end of the worker: calls, the state that screens watch, and a watch over the worker itself.

import { computed, reactive, shallowRef } from 'vue'
import workerUrl from './worker/main?worker&url'
import { cardSeen, hear as hearNotice, leaveToCard, notices, onShown, ringFor } from './notices'
import { trusted } from './trust'
import type { Day, JobPage, ReminderName, State } from './kinds'
import type { Asked, Calls, Notice, Sentence, Stage, SyncNews, Told } from './worker/protocol'

/** A worker that says nothing for so long has died or hangs. */
const PATIENCE_MS = 15_000
const HAD_LOG = 'doorstep.once'

/** The rules, or the phone's store, said no. */
export class Refused extends Error {
  constructor(readonly sentences: Sentence[]) {
    super(sentences.map((sentence) => sentence.key).join())
  }
}

type Waiting = { resolve(value: unknown): void; reject(error: Error): void }

/** A PIN will be asked for, as far as anybody knows before the worker has looked: whoever types loses no time. */
export const expectsPin = localStorage.getItem(HAD_LOG) !== null

/** What screens watch. */
export const phone = reactive({
  stage: null as Stage | null,
  state: null as State | null,
  /** When the state was asked, by the awake clock. */
  stateAt: 0,
  news: { phase: 'never', nextAt: 0, sending: [] } as SyncNews,
  /** The screen is locked while the phone behind it goes on. */
  covered: false,
  /** A new code is being typed: the session was over. */
  renewing: false,
  persisted: null as boolean | null,
})

/** What is on this phone only; null while nobody has counted. */
export const unsent = computed(() => {
  const state = phone.state
  return state && { facts: state.only_here + state.waiting, photos: state.photos.length }
})

export const day = shallowRef<Day | null>(null)
export const page = shallowRef<JobPage | null>(null)

let worker: Worker | null = null
let waiting = new Map<number, Waiting>()
let next = 1
let booted: Promise<void> = Promise.resolve()
/** The worker that has booted: it is asked at once, before anything is drawn. */
let up: Worker | null = null
/** The last worker could not read the phone's store: what is asked next starts another. */
let away = false
let key: CryptoKey | null = null
let shown: string | null = null

/** Asks the worker; a refusal is thrown with its sentences. */
export function call<Name extends keyof Calls>(
  name: Name,
  ...args: Parameters<Calls[Name]>
): ReturnType<Calls[Name]> {
  if (away && name !== 'boot') void start()
  const id = next++
  const asked: Asked = { id, call: name, args }
  const mine = worker
  const answer = new Promise((resolve, reject) => {
    // What the brain is asked it answers at once; a worker that does not has died without a word.
    const late = name === 'ask' && setTimeout(() => mine === worker && void start(), PATIENCE_MS)
    const settle = () => late && clearTimeout(late)
    waiting.set(id, { resolve: (value) => (settle(), resolve(value)), reject: (error) => (settle(), reject(error)) })
    const fail = () => (waiting.delete(id), settle(), reject(new Refused([{ key: 'face.store_away', arguments: {} }])))
    if (name === 'boot' || up === worker) worker?.postMessage(asked)
    else void booted.then(() => worker?.postMessage(asked), fail)
  })
  return answer as ReturnType<Calls[Name]>
}

/** Asks the brain. */
export function ask<What>(request: Record<string, unknown>): Promise<What> {
  return call('ask', request) as Promise<What>
}

/** Starts the worker, or another in place of one that died; nothing saved is lost by that. */
export async function start(): Promise<void> {
  worker?.terminate()
  giveUp('face.restarted')
  const mine = new Worker(trusted(workerUrl), { type: 'module', name: 'doorstep' })
  mine.onmessage = (event: MessageEvent<Told>) => hear(event.data)
  mine.onerror = (event) => {
    console.warn(`the worker ended: ${event.message}`)
    // One that never came up would not come up at once either.
    if (up === mine) void start()
    else giveUp('face.store_away')
  }
  worker = mine
  away = false
  const booting = call('boot', localStorage.getItem(HAD_LOG) !== null, key)
  // What is asked meanwhile waits for it.
  booted = booting.then((stage) => {
    phone.stage = stage
    up = mine
  })
  booted.catch(() => undefined)
  try {
    await booted
  } catch (error) {
    if (mine !== worker) return
    away = true
    // Whoever was looking at a job goes on looking at it.
    if (phone.stage?.at !== 'open') phone.stage = { at: 'broken', why: String(error) }
    return
  }
  await entered()
}

/** Tells everybody who waits for the worker why nothing will come. */
function giveUp(why: string): void {
  for (const { reject } of waiting.values()) reject(new Refused([{ key: why, arguments: {} }]))
  waiting = new Map()
}

export async function enrol(form: Parameters<Calls['enrol']>[0]): Promise<void> {
  phone.stage = await call('enrol', form)
  await entered()
}

export async function unlock(pin: string): Promise<void> {
  // It may have been typed before the worker had looked whether a PIN opens anything here.
  await booted.catch(() => undefined)
  if (!['locked', 'lease_over', 'open'].includes(phone.stage?.at ?? '')) return
  phone.stage = await call('unlock', pin)
  await entered()
}

let reading: Promise<void> | null = null
let stale = false

/** Reads what the screens show again; asked for while it reads, it reads once more and no oftener. */
export function refresh(): Promise<void> {
  stale = true
  reading ??= readWhileStale().finally(() => (reading = null))
  return reading
}

async function readWhileStale(): Promise<void> {
  while (stale && phone.stage?.at === 'open') {
    stale = false
    await read()
  }
}

async function read(): Promise<void> {
  await Promise.all([readShown(), readState()])
}

/** The job that is looked at, or the list: one of a long route takes a moment, so only who looks at it waits for it. */
async function readShown(): Promise<void> {
  const job = shown
  if (!job) {
    day.value = await ask<Day>({ do: 'day' })
    return
  }
  const looked = await ask<JobPage>({ do: 'job', job }).catch(() => null)
  if (shown === job) page.value = looked
}

async function readState(): Promise<void> {
  const asked = performance.now()
  know(await ask<State>({ do: 'state' }), asked)
}

/** Takes in how things stand; what is due rings once, also behind the lock. */
function know(state: State, asked: number): void {
  phone.state = state
  phone.stateAt = asked
  for (const it of state.reminders) if (!it.is_quiet) ringFor(cardName(it))
}

/** Shows a job from now on, or none. */
export async function show(job: string | null): Promise<void> {
  shown = job
  page.value = null
  if (job) page.value = await ask<JobPage>({ do: 'job', job })
  else await refresh()
}

/** Saves something; ends when it is on the disk, and the screens show it. */
export async function save(request: Record<string, unknown>): Promise<void> {
  await ask(request)
  if (!shown) return void refresh()
  page.value = await ask<JobPage>({ do: 'job', job: shown })
  void readState().catch(() => undefined)
}

/** Puts the lock before the screens. */
export function cover(): void {
  if (phone.stage?.at === 'open') phone.covered = true
}

async function entered(): Promise<void> {
  if (phone.stage?.at !== 'open') return
  phone.covered = false
  phone.renewing = false
  localStorage.setItem(HAD_LOG, '1')
  try {
    await Promise.all([refresh(), call('key').then((opened) => (key = opened))])
  } finally {
    // Not before the screens have something to show: meeting the hall takes the brain's time.
    void call('sync').catch(() => undefined)
  }
  phone.persisted = (await navigator.storage?.persist?.()) ?? null
}

/** Forgets that this browser ever was somebody's phone. */
export function forgotten(): void {
  localStorage.removeItem(HAD_LOG)
  key = null
  phone.state = null
  day.value = null
  page.value = null
}

function hear(told: Told): void {
  if ('news' in told) {
    phone.news = told.news
    if (told.news.phase === 'complete') void refresh()
  } else if ('notice' in told) {
    void hearNews(told.notice)
  } else if ('stream' in told) {
    notices.open = told.stream
  } else if ('changed' in told) {
    void refresh()
  } else if ('free' in told) {
    void start()
  } else {
    const asked = waiting.get(told.id)
    waiting.delete(told.id)
    if ('ok' in told) asked?.resolve(told.ok)
    else if ('refused' in told) asked?.reject(new Refused(told.refused))
    else asked?.reject(new Error(told.failed))
  }
}

/** What phone and hall both remind of is a card of this phone, and never a banner beside it. */
async function hearNews(notice: Notice): Promise<void> {
  const [family, about] = notice.kind.split('.')
  if (family !== 'reminder') return hearNotice(notice)
  await refresh().catch(() => undefined)
  const card = phone.state?.reminders.find((it) => it.about === about && it.job === notice.job && it.due_at === notice.data['due_at'])
  if (!card) return hearNotice(notice)
  leaveToCard(notice, cardName(card))
  if (card.is_quiet || cardsSeen.has(cardName(card))) cardSeen(cardName(card))
}

/** The name of a reminder's card. */
export const cardName = (it: ReminderName) => `${it.about}|${it.job}|${it.due_at}`

/** Cards that somebody has looked at. */
const cardsSeen = new Set<string>()

export function lookedAt(it: ReminderName): void {
  cardsSeen.add(cardName(it))
  cardSeen(cardName(it))
}

onShown((id) => void call('shown', id).catch(() => undefined))

/** Looks after the worker: one that does not answer is replaced. */
export function watch(): void {
  setInterval(() => {
    if (phone.stage?.at !== 'open' || document.hidden) return
    readState().catch(() => undefined)
  }, 20_000)
  const wake = () => void call('sync').catch(() => undefined)
  addEventListener('online', wake)
  document.addEventListener('visibilitychange', () => document.hidden || wake())
}
