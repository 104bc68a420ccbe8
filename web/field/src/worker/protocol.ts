// What page and worker say to each other.

import type { Sentence } from '../../../face/words'

export type { Sentence }

/** Where a phone stands before its screens can open. */
export type Stage =
  /** Another tab writes. */
  | { at: 'in_use' }
  /** Nobody is enrolled. */
  | { at: 'new' }
  /** A PIN opens it. */
  | { at: 'locked'; left: number }
  /** The lease is over: the hall has to be heard, then the PIN opens it. */
  | { at: 'lease_over' }
  /** Ten wrong PINs, or the session is over for good: a new code from the hall opens it. */
  | { at: 'needs_hall' }
  /** There was a phone here, and its database is gone. */
  | { at: 'gone' }
  /** It cannot be opened; nothing was thrown away. */
  | { at: 'broken'; why: string }
  /** `lost`: the log is gone although this phone had one; `damaged`: parts of it were set aside. */
  | { at: 'open'; lost: boolean; damaged: boolean }

/** How the last meeting with the hall ended. */
export type SyncPhase = 'never' | 'talking' | 'complete' | Fault | 'not_stored'

export type { Fault } from './hall'
import type { Fault } from './hall'

/** What the screens show of the way to the hall. */
export interface SyncNews {
  phase: SyncPhase
  /** When the next try is due, by `Date.now()`. */
  nextAt: number
  /** Pictures under way, by hash. */
  sending: string[]
}

/** Something that the technician has to hear. */
export interface Notice {
  id: string
  kind: string
  job: string | null
  /** Ids and times; the job itself is read from the phone. */
  data: Record<string, unknown>
  urgency: 'low' | 'normal' | 'high'
}

/** What came of a notice, layer by layer. */
export interface TestCame {
  shown_at: number | null
  layers: { layer: string; state: string; last_error: string | null }[]
}

/** What a technician carries by all that the hall knows; amounts are fen. */
export interface OwnCash {
  carried: number
  days: { day: string; taken: number; handed_in: number; difference: number }[]
  at: number
}

/** Who the phone is made somebody's by. */
export interface EnrolForm {
  login: string
  password: string
  code: string
  name: string
  pin: string
}

/** What the page may ask of the worker. */
export interface Calls {
  boot(hadLog: boolean, key: CryptoKey | null): Promise<Stage>
  enrol(form: EnrolForm): Promise<Stage>
  unlock(pin: string): Promise<Stage>
  ask(request: Record<string, unknown>): Promise<unknown>
  keepPhoto(job: string, bytes: Uint8Array): Promise<string>
  photo(job: string, hash: string): Promise<Uint8Array | null>
  sync(): Promise<void>
  rescue(): Promise<Uint8Array>
  logOut(rescued: boolean): Promise<void>
  key(): Promise<CryptoKey | null>
  /** A person was shown a notice. */
  shown(id: string): Promise<void>
  pushKey(): Promise<{ public_key: string }>
  subscribe(subscription: Record<string, string>): Promise<boolean>
  unsubscribe(): Promise<void>
  testNotice(): Promise<{ id: string }>
  notice(id: string): Promise<TestCame>
  cash(): Promise<OwnCash>
}

export type Asked = { id: number; call: keyof Calls; args: unknown[] }

export type Told =
  | { id: number; ok: unknown }
  /** The rules, or the store, said no; nothing was saved. */
  | { id: number; refused: Sentence[] }
  /** Something broke; nothing was saved unless it says so. */
  | { id: number; failed: string }
  | { news: SyncNews }
  | { notice: Notice }
  | { stream: boolean }
  /** What the screens show may have changed. */
  | { changed: true }
  /** The other tab has gone. */
  | { free: true }
