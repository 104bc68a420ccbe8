// What the API says, as far as the console reads it; instants are Unix milliseconds.

export type Role = 'technician' | 'dispatcher' | 'hall' | 'manager' | 'admin'

export interface Person {
  id: string
  login: string
  name: string
  role: Role
  hall: string
}

/** Who sits here, and in which hall. */
export interface Me extends Person {
  hall_name: string
  utc_offset_minutes: number
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
}
