// The worker: it holds the brain, the keys and the way to the hall, and does one thing at a time.

import init, { Brain, warm_up } from '../brain/brain.js'
import wasm from '../brain/brain_bg.wasm?url'
import { Hall, HallFault, type Enrolled } from './hall'
import { TRIES, lendAgain, makeRing, openByHall, openByPin, type KeyRing } from './keys'
import { Notices } from './notices'
import type { Asked, Calls, EnrolForm, Sentence, Stage, Told } from './protocol'
import { readToken } from './seal'
import { Store } from './store'
import { Sync } from './sync'

const LOCK = 'doorstep-writer'
const LEND_AGAIN_MS = 12 * 60 * 60 * 1000
const SAID_EVERY_MS = 10 * 60 * 1000

/** The rules, or the store, said no. */
class Refused extends Error {
  constructor(readonly sentences: Sentence[]) {
    super(sentences.map((sentence) => sentence.key).join())
  }
}

const hall = new Hall()
let store: Store
let brain: Brain | null = null
/** The brain's program. */
let ready: Promise<unknown> = Promise.resolve()
let key: CryptoKey | null = null
let lentAt = 0
let saidAt = 0
let sync: Sync | null = null
let stream: Notices | null = null
let queue: Promise<unknown> = Promise.resolve()

function tell(told: Told, transfer: Transferable[] = []): void {
  postMessage(told, { transfer })
}

/** Runs tasks one after another: the brain is one object. */
function alone<What>(task: (brain: Brain) => Promise<What> | What): Promise<What> {
  const run = queue.then(async () => {
    if (!brain) throw new Refused([{ key: 'face.locked', arguments: {} }])
    return task(brain)
  })
  queue = run.catch(() => undefined)
  return run
}

/** Becomes the one writer; another tab that is tells itself by being here first. */
function becomeWriter(): Promise<boolean> {
  return new Promise((resolve) => {
    const hold = () => new Promise<never>(() => undefined)
    void navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
      resolve(lock !== null)
      return lock ? hold() : undefined
    })
  })
}

function waitForOther(): void {
  void navigator.locks.request(LOCK, () => tell({ free: true }))
}

const calls: Calls = {
  async boot(hadLog, known) {
    // Whoever types their PIN does not wait for it.
    ready = init({ module_or_path: wasm })
    ready.catch(() => undefined)
    if (!(await becomeWriter())) {
      waitForOther()
      return { at: 'in_use' }
    }
    store = new Store('doorstep', hadLog)
    const ring = await store.ring()
    if (ring && !known) {
      store.fetchAhead()
      hall.token = await readToken(ring)
      const stage = await lockedAt(ring)
      // Behind the answer, which a screen waits for.
      void ready.then(() => setTimeout(warm_up))
      return stage
    }
    await ready
    if (!ring || !known) return { at: hadLog ? 'gone' : 'new' }
    hall.token = await readToken(ring)
    const stage = await enter(known)
    // Whoever looks at a job goes on looking at it: the next tap boots again.
    if (stage.at === 'broken') throw new Error(stage.why)
    return stage
  },

  async enrol(form) {
    await ready
    const ring = await store.ring()
    return ring ? comeBack(ring, form) : begin(form)
  },

  async unlock(pin) {
    try {
      await ready
    } catch (error) {
      return { at: 'broken', why: String(error) }
    }
    let ring = await store.ring()
    if (!ring) return { at: 'new' }
    const before = await lockedAt(ring)
    if (before.at === 'lease_over') {
      ring = await lend(ring)
    } else if (before.at !== 'locked') {
      return before
    }
    // Counted before it is tried: a kill in between costs a try and never gains one.
    const counted = store.keepRing({ ...ring, tries: ring.tries + 1 })
    const opened = await openByPin(ring, pin, counted)
    if (!opened) return wrongPin(ring)
    const [, stage] = await Promise.all([store.keepRing({ ...ring, tries: 0 }), brain ? OPEN : enter(opened)])
    return stage
  },

  async ask(request) {
    const isTap = !QUESTIONS.has(String(request['do']))
    if (isTap && store.stuck) await reopen()
    const said = await alone((it) => it.ask(JSON.stringify(request), Date.now(), performance.now()))
    const answer = read(said)
    if (isTap) sync?.poke()
    return answer
  },

  async keepPhoto(job, bytes) {
    return read(await alone((it) => it.keep_photo(job, bytes))) as string
  },

  async photo(job, hash) {
    const here = await alone((it) => it.photo(hash))
    if (here) return here
    try {
      return await hall.photo(job, hash)
    } catch {
      return null
    }
  },

  async sync() {
    await sync?.now()
  },

  async rescue() {
    return alone((it) => it.rescue())
  },

  async logOut(rescued) {
    await calls.ask({ do: 'wipe', rescued })
    await hall.signOut().catch(() => undefined)
    sync?.stop()
    stream?.stop()
    brain = null
    key = null
  },

  async key() {
    return key
  },

  async shown(id) {
    // What does not arrive is told again by the next stream.
    await hall.shown(id).catch(() => undefined)
  },

  pushKey: () => hall.pushKey(),
  subscribe: (subscription) => hall.subscribe(subscription),
  unsubscribe: () => hall.unsubscribe(),
  testNotice: () => hall.testNotice(),
  notice: (id) => hall.notice(id),
  cash: () => hall.cash(),
}

const OPEN: Stage = { at: 'open', lost: false, damaged: false }

/** What only asks; everything else saves, and the hall should hear of it. */
const QUESTIONS = new Set(['day', 'job', 'state', 'judge', 'missing', 'seen'])

async function lockedAt(ring: KeyRing): Promise<Stage> {
  if (!ring.session || ring.tries >= TRIES) return { at: 'needs_hall' }
  const now = Math.max(Date.now(), await store.lastWall())
  if (!ring.share || ring.share.until < now) return { at: 'lease_over' }
  return { at: 'locked', left: TRIES - ring.tries }
}

async function wrongPin(ring: KeyRing): Promise<Stage> {
  const tries = ring.tries + 1
  if (tries < TRIES) return { at: 'locked', left: TRIES - tries }
  // Nothing on this phone opens the data any more; what the hall gives for a new code does.
  await store.keepRing({ ...ring, tries, share: null, session: null })
  hall.token = null
  sync?.stop()
  stream?.stop()
  brain = null
  key = null
  return { at: 'needs_hall' }
}

function openBrain(): Promise<Brain> {
  return Brain.open(store, Date.now(), performance.now())
}

/** Reads the disk again before anything more is written to it; until that works, what is in memory can be read. */
async function reopen(): Promise<void> {
  await alone(async () => {
    try {
      brain = await openBrain()
    } catch {
      throw new Refused([{ key: 'face.store_away', arguments: {} }])
    }
  })
}

/** Opens the brain with the data key. */
async function enter(opened: CryptoKey): Promise<Stage> {
  store.unlock(opened)
  try {
    brain = await openBrain()
  } catch (error) {
    return { at: 'broken', why: String(error) }
  }
  key = opened
  const found = JSON.parse(brain.found()) as { beginning: string; clean: boolean; enrolled: boolean }
  const ring = found.enrolled ? null : await store.ring()
  if (ring) await calls.ask({ do: 'enrol', ...ring.who })
  sync = new Sync({ hall, alone, tell: (news) => tell({ news }), changed: () => tell({ changed: true }), heard })
  listen()
  return { at: 'open', lost: found.beginning === 'gone', damaged: !found.clean }
}

/** Follows what the technician has to hear, in the place of an earlier stream. */
function listen(): void {
  stream?.stop()
  stream = new Notices({
    hall,
    notice: (notice) => tell({ notice }),
    feed: () => sync?.poke(),
    open: (open) => tell({ stream: open }),
  })
}

/** Makes this the phone of a technician. */
async function begin(form: EnrolForm): Promise<Stage> {
  const given = await enrolled(form)
  const who = { device: given.device, user: given.user.id, hall: given.user.hall }
  const [ring, opened] = await makeRing(who, form.pin, given, given.token)
  await store.erase()
  await store.keepRing(ring)
  lentAt = Date.now()
  hall.token = given.token
  return enter(opened)
}

/** Goes on with what this phone holds: a new code, the old name, a new PIN. */
async function comeBack(ring: KeyRing, form: EnrolForm): Promise<Stage> {
  const given = await enrolled({ ...form, device: ring.who.device })
  const [renewed, opened] = await openByHall(ring, form.pin, given, given.token)
  await store.keepRing(renewed)
  lentAt = Date.now()
  hall.token = given.token
  sync?.stop()
  return enter(opened)
}

async function enrolled(form: EnrolForm & { device?: string }): Promise<Enrolled> {
  const { login, password, code, name, device } = form
  const asked: Record<string, string> = { login, password, code, name }
  if (device) asked['device'] = device
  return hall.enrol(asked)
}

/** Keeps what the documents say, now and then: the next start reads only what changed since. */
async function keepSaid(): Promise<void> {
  if (Date.now() - saidAt < SAID_EVERY_MS) return
  saidAt = Date.now()
  // In its turn, so that nothing is kept behind a wipe; without it the next start takes longer.
  await alone((it) => store.keepSaid(it.said() as Uint8Array<ArrayBuffer>)).catch(() => undefined)
}

/** After each word of the hall: the lease begins anew, twice a day. */
async function heard(): Promise<void> {
  await keepSaid()
  if (Date.now() - lentAt < LEND_AGAIN_MS) return
  const ring = await store.ring()
  if (ring) await lend(ring).catch(() => undefined)
}

async function lend(ring: KeyRing): Promise<KeyRing> {
  const lent = await hall.lend()
  const renewed = lendAgain(ring, lent.share, lent.lease_days)
  await store.keepRing(renewed)
  lentAt = Date.now()
  return renewed
}

function read(said: string): unknown {
  const answer = JSON.parse(said) as { ok?: unknown; refused?: Sentence[]; broken?: string }
  if (answer.refused) throw new Refused(answer.refused)
  if (answer.broken !== undefined) throw new Error(answer.broken)
  return answer.ok
}

onmessage = async (event: MessageEvent<Asked>) => {
  const { id, call, args } = event.data
  try {
    const ok = await (calls[call] as (...args: unknown[]) => Promise<unknown>)(...args)
    tell({ id, ok })
  } catch (error) {
    tell(refusal(id, error))
  }
}

function refusal(id: number, error: unknown): Told {
  if (error instanceof Refused) return { id, refused: error.sentences }
  if (error instanceof HallFault) {
    const words = error.problem ? `problem.${error.problem}` : `fault.${error.fault}`
    return { id, refused: [{ key: words, arguments: {} }] }
  }
  return { id, failed: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
}
