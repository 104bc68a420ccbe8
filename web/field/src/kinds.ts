// The shapes of what the brain answers; the words are those of the domain.

import type { Sentence } from './worker/protocol'

export type { Sentence }

export interface Window {
  start: number
  end: number
}
export interface Place {
  latitude: number
  longitude: number
}
export interface Household {
  id: string
  account: string
  holder: string
  address: string
  phone: string
  place?: Place
  groups: string[]
  access: string
  /** No register knows it; the address is what somebody said. */
  unregistered?: boolean
}
export interface Promised {
  rule: string
  due_at: number
  state: string
}
export interface Unseen {
  what: string
  id?: string
}
export interface Clash {
  clash: string
  visit?: string
  visits?: string[]
}
/** Where the calling of a leak stands for whose phone this is. */
export interface Call {
  part: 'waiting' | 'accepted' | 'leads' | 'supports' | 'declined' | 'over'
  at: number
  until: number
  lead: string | null
}
export interface Line {
  job: string
  kind: string
  status: string
  window: Window | null
  holder: string
  address: string
  promise: Promised | null
  unseen: Unseen[]
  clashes: Clash[]
  withdrawn: boolean
  only_here: number
  call: Call | null
  household: Household
  also_due: { kind: string; on: string }[]
  free_hose: boolean
  walk_m: number | null
}
export interface Day {
  today: string
  utc_offset_minutes: number
  now_ms: number
  days: { day: string; lines: Line[] }[]
}
export interface Author {
  by: string
  at: number
}
export interface Stamp {
  wall_at: number
}
export interface Fact {
  type: string
  stamp: Stamp
  [field: string]: unknown
}
export interface Visit {
  technician: string
  device: string
  facts: Record<string, Fact>
}
export interface Meter {
  id: string
  serial: string
  size: string
  digits: number
  readings: { on: string; register: number; state?: string }[]
  /** The meters that hung in its place before. */
  before?: { serial: string; removed_on: string }[]
}
/** A meter that hangs, with its life. */
export interface HangingMeter extends Meter {
  ends_on: string | null
  overdue: boolean
}
export interface Hose {
  id: string
  kind: string
  length_mm: number
  installed_on: string
  /** Nobody knows the day for sure. */
  is_estimated?: boolean
  joints?: number
}
export interface Appliance {
  id: string
  kind: string
  brand: string
  model: string
  installed_on?: string
  sold_on?: string
  is_estimated?: boolean
  flame_out?: boolean
}
export interface Job {
  id: string
  kind: string
  created_at: number
  plan: {
    appointments: Record<string, { window: Window; channel: string; author: Author }>
    assignments: Record<string, { technician?: string; author: Author }>
    cancelled: Record<string, { reason: string; author: Author }>
    rulings: Record<string, { reason: string; stands?: string; author: Author }>
    instructions: Record<string, { text: string; author: Author }>
  }
  briefing: {
    household: Household
    meters: Meter[]
    hoses: Hose[]
    request: string
    /** The number of who called, where it was said. */
    caller_phone?: string
    also_due: { kind: string; on: string }[]
    hazards?: KnownHazard[]
  }
  visits: Record<string, Visit>
  messages: Record<string, { author: string; stamp: Stamp; text: string }>
}
export interface Steps {
  visit: string | null
  line: [string, 'done' | 'next' | 'later'][]
  missing: Sentence[]
}
export interface ConductItem {
  id: string
  phase: string
  rule: string
  waivable: boolean
  zh: string
  en: string
}
export interface HazardRule {
  id: string
  level: number
  deadline_days?: number
  zh: string
  en: string
}
export interface Photo {
  job: string
  hash: string
  size_bytes: number
  refused: string | null
}
export interface JobPage {
  job: Job
  standing: { status: string; technician?: string; visit?: string; appointment?: Window; clashes: Clash[] }
  promise: Promised | null
  unseen: Unseen[]
  withdrawn: boolean
  unread: number
  steps: Steps
  needs: string[]
  conduct: ConductItem[]
  hazards: HazardRule[]
  hose: {
    max_length_mm: number
    entitlement: { entitlement: 'free' | 'used_up' | 'not_in_group'; group?: string; on?: string }
    overdue: string[]
    /** Those on the wall, also those that this visit put in or saw. */
    here: Hose[]
  }
  severe_level: number | null
  /** What is done next about a household that was not reached, by whichever crew. */
  rung: { absent: number; refused: number; empty: number; zh: string; en: string; sniff: boolean } | null
  cash: { is_entitled: boolean; next_receipt: string | null; left: number }
  appliances: Appliance[]
  meter: { sizes: string[]; fewest_digits: number; most_digits: number }
  /** The meters that hang there, with what this phone changed. */
  meters: HangingMeter[]
  verdicts: [string, Judged][]
  only_here: string[]
  photos: Photo[]
  call: Call | null
  me: string | null
  utc_offset_minutes: number
  now_ms: number
}
/** A hazard that the hall knows at a household. */
export interface KnownHazard {
  item: string
  level: number
  text: string
  found_on: string
  deadline?: string
  is_stopped: boolean
  findings: { job: string; visit: string; fact: string }[]
}
/** Cash that this phone took; amounts are fen. */
export interface OwnReceipt {
  job: string
  receipt: string
  amount: number
  at: number
  is_void: boolean
  only_here: boolean
}
/** Names a reminder, here as at the hall. */
export interface ReminderName {
  about: string
  job: string | null
  due_at: number
}
export interface Reminder extends ReminderName {
  until: number | null
  kind: string | null
  address: string
  phone: string
  is_quiet: boolean
}
export interface State {
  enrolled: boolean
  device: string | null
  only_here: number
  waiting: number
  acked: number
  safe: number
  quarantined: [string, string][]
  photos: Photo[]
  heard_at_ms: number | null
  heard_ago_ms: number | null
  clock_skew_ms: number | null
  notices: { job: string | null; says: Sentence }[]
  /** Leaks that wait for an answer, oldest first. */
  calls: { job: string; address: string; holder: string; phone: string; caller_phone: string; unregistered: boolean; request: string; until: number; due_at: number; now_ms: number }[]
  /** What the technician is reminded of, the first due first; what was put off or seen to is quiet. */
  reminders: Reminder[]
  /** The receipts that this phone wrote, oldest first. */
  receipts: OwnReceipt[]
  /** For how many minutes one can be put off. */
  snooze_minutes: number[]
  /** The hall's time, as well as the phone knows it. */
  now_ms: number
  utc_offset_minutes: number
  left: { job: string; kind: string; address: string; recorded: number; arrived_at: number | null }[]
}
export interface Judged {
  finding: string
  abnormal: boolean
  says: Sentence
  grounds: Sentence | null
}
