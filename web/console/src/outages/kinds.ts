// What the API says of outages; instants are Unix milliseconds.

import type { Span } from '../kinds'

export type OutageKind = 'planned' | 'unforeseen'
export type OutageState = 'draft' | 'coming' | 'running' | 'overdue' | 'ended' | 'cancelled'
/** Whether households are told that the gas is off, or that it is on. */
export type Phase = 'off' | 'on'

export interface Promise13 {
  rule: string
  due_at: number
  state: 'running' | 'kept' | 'broken'
  is_at_risk: boolean | null
}

export interface Outage {
  id: string
  kind: OutageKind
  state: OutageState
  area: string
  reason: string
  from: number
  until: number
  made_by: string
  made_at: number
  announced_by: string | null
  announced_at: number | null
  ended_by: string | null
  ended_at: number | null
  cancelled_by: string | null
  cancelled_at: number | null
  cancelled_why: string
  why: string
  households: number
  told: number
  promise: Promise13 | null
}

export interface OutagesPage {
  outages: Outage[]
  next: string | null
}

export interface Picks {
  roads: string[]
  buildings: string[]
  accounts: string[]
}

export interface Check {
  due_at: number | null
  tells_at: number | null
  is_in_time: boolean
  earliest_begin: number | null
  refused: string | null
}

export interface Reach {
  households: number
  by_message: number
  despite_no: number
  opted_out: number
  no_phone: number
  listens: boolean
  doors: { household: string; account: string; holder: string; address: string; why: string }[]
}

export interface Crossing {
  outage: string
  area: string
  from: number
  until: number
  households: number
  is_announced: boolean
}

/** What announcing now would come to. */
export interface Preview {
  check: Check
  reach: Reach
  crossing: Crossing[]
  area: string
  unknown_accounts: string[]
}

export interface Telling {
  id: string
  occasion: string
  from: number
  until: number
  reason: string
  made_by_name: string
  made_at: number
  written: number
  done_at: number | null
}

export interface Count {
  how: 'message' | 'door' | null
  state: string | null
  households: number
  failing: number
}

export interface WholeOutage {
  outage: Outage
  picks: Picks
  check: Check | null
  reach: Reach | null
  crossing: Crossing[]
  tellings: Telling[]
  off: Count[]
  on: Count[]
}

export interface ToldHome {
  household: string
  account: string
  holder: string
  address: string
  phone: string
  told_at: number | null
  how: 'message' | 'door' | null
  told_by_name: string | null
  state: string | null
  made_at: number | null
  ended_at: number | null
  error: string | null
}

export interface RecordPage {
  households: ToldHome[]
  next: string | null
}

export interface Road {
  road: string | null
  households: number
  buildings: { building: string; households: number }[]
}

/** An outage as whoever speaks with one of its households has to know it. */
export interface HomeOutage {
  id: string
  kind: OutageKind
  state: OutageState
  area: string
  reason: string
  from: number
  until: number
  ended_at: number | null
}

/** An outage as it is written down. */
export interface Written {
  kind: OutageKind
  window: Span
  picks: Picks
  area: string
  reason: string
}
