// What the API says, as far as the console reads it; instants are Unix milliseconds.

export type Role = 'technician' | 'dispatcher' | 'hall' | 'manager' | 'admin'

export interface Person {
  id: string
  login: string
  name: string
  role: Role
  hall: string
  /** Whether they were shut out; said in lists. */
  disabled?: boolean
}

/** Who sits here, and in which hall. */
export interface Me extends Person {
  hall_name: string
  utc_offset_minutes: number
  /** Nothing is open to them before they have set up a second factor. */
  lacks_second_factor: boolean
}

export interface Span {
  start: number
  end: number
}

export interface Door {
  id: string
  account: string
  holder: string
  address: string
}

export interface Clash {
  clash: string
}

/** A job as lists, boards and the live stream show it. */
export interface Job {
  id: string
  kind: string
  status: string
  /** Since when it stands so, at the latest. */
  status_since: number | null
  household: Door
  technician: string | null
  window: Span | null
  promise: { rule: string; due_at: number; state: string } | null
  clashes: Clash[]
  created_at: number
  /** Where in the hall's feed it changed last: what an edit is held to. */
  position: number
  heard_at: number | null
}

export interface Device {
  id: string
  user: string
  name: string
  revoked_at: number | null
  pending: number
  heard_at: number | null
}

export interface Leg {
  job: string
  metres: number | null
  set_out_at: number
  reached_at: number
  left_at: number
  late_minutes: number
}

export interface Stay {
  job: string
  technician: string
  arrived_at: number | null
  ended_at: number | null
}

export interface Rounds {
  rounds: { technician: string; legs: Leg[] }[]
  stays: Stay[]
}

/** What a move would do. */
export interface Outlook {
  late: { job: string; was_minutes: number; will_minutes: number }[]
  reached_at: number | null
  metres: number | null
  needs_agreement: boolean
  lacks_window: boolean
  /** What the technician would have to be able to do, and is not. */
  lacks_skills: Named[]
}

/** A claim of a phone's clock; the hall's bounds come with the history. */
export interface Stamp {
  wall_at: number
}

/** Something that happened at a door; what else it carries depends on its type. */
export interface Fact {
  type: string
  stamp: Stamp
  [more: string]: unknown
}

export interface Visit {
  technician: string
  device: string
  facts: Record<string, Fact>
}

export interface Author {
  by: string
  at: number
}

/** What a conduct item or hazard is called. */
export interface Named {
  id: string
  zh: string
  en: string
}

export interface Pack {
  id: string
  conduct: (Named & { rule: string })[]
  hazards: Named[]
}

/** A job whole, as the console reads it. */
export interface Whole {
  id: string
  kind: string
  pack: string
  created_at: number
  plan: {
    appointments: Record<string, { window: Span; channel: string; author: Author }>
    assignments: Record<string, { technician?: string | null; author: Author }>
    cancelled: Record<string, { reason: string; author: Author }>
    instructions: Record<string, { text: string; author: Author }>
    /** Documents from before calls have none. */
    calls?: Record<string, { technician: string; name: string; until: number; author: Author }>
    rulings: Record<string, { reason: string; stands?: string | null; author: Author }>
    /** Documents from before clocks could stand still have none. */
    clock?: Record<string, { event: 'started' | 'paused' | 'resumed'; at: number; reason?: string; until?: number | null; author: Author }>
  }
  briefing: {
    household: Door & { phone: string; access: string; groups: string[]; unregistered?: boolean }
    meters: { id: string; serial: string; size: string; readings: { on: string; register: number }[] }[]
    hoses: { id: string; kind: string; length_mm: number; installed_on: string }[]
    replacements: { on: string; free: boolean }[]
    also_due: { kind: string; on: string }[]
    request: string
    /** The number of who called, where it was said. */
    caller_phone?: string
  }
  visits: Record<string, Visit>
  messages: Record<string, { author: string; stamp: Stamp; text: string }>
}

export interface Standing {
  status: string
  technician: string | null
  appointment: Span | null
  clashes: Clash[]
}

export interface JobPage {
  job: Whole
  standing: Standing
  summary: Job
  verdicts: { agreed: string; technician: string | null; window: Span; punctuality: string; width_ms?: number }[]
  /** The cases that it was born of. */
  cases: { id: string; number: number; kind: string; state: string }[]
  /** The application that it was made of. */
  application: { id: string; number: number; procedure: string; state: string } | null
  clock: PromiseClock | null
  /** What of it was done in another job too. */
  twice: Twice[]
}

/** Work that was done in another job too, with the case in which somebody settles it (B14). */
export interface Twice {
  why: 'same_hose' | 'same_meter' | 'free_hose'
  case: string
  number: number
  state: string
  owner: string
  jobs: string[]
}

/** How the clock of a job's promise runs. */
export interface PromiseClock {
  rule: string
  starts: 'taken' | 'papers_complete'
  started_at: number | null
  due_at: number | null
  guide_due_at: number | null
  paused_since: number | null
  is_published: boolean
}

export interface Change {
  hash: string
  position: number
  by: string | null
  device: string | null
  received_at: number
  adds: { what: string; id: string; earliest: number | null; latest: number | null }[]
}

export interface Photo {
  visit: string
  fact: string
  kind: string
  subject: string | null
  hash: string
  taken_at: number
  held: boolean
  erased_at: number | null
}

/** A household as intake reads it. */
export interface Household extends Door {
  phone: string
  access: string
  groups: string[]
  /** No register knows it; the address is what somebody said. */
  unregistered?: boolean
}

export interface Offer {
  technician: string
  reached_at: number
  metres: number | null
  makes_late: number
  /** Minutes behind the window's end, or behind what was promised. */
  late_minutes: number
  in_area: boolean
}

/** Who could come when. */
export interface Offers {
  windows: { window: Span; fitting: number; offers: Offer[] }[]
  nearest: Offer[]
}
