// Figures as the API gives them.

export interface Named {
  key: string
  name: string
}

/** A number and what is behind it; the lists are cut at 200, the number is whole. */
export interface Pile {
  count: number
  jobs: string[]
  households?: string[]
}

export interface Line extends Named {
  cells: Pile[]
  /** A share for each rate; null where nothing can be judged. */
  rates: (number | null)[]
}

export interface Figure {
  columns: Named[]
  rates: Named[]
  lines: Line[]
  total: Line
}

export interface OpenPromise {
  job: string
  kind_name: string
  address: string
  technician_name: string | null
  rule: string
  due_at: number
  state: string
  is_at_risk: boolean | null
}

export interface Promises {
  open: OpenPromise[]
  open_count: number
  by_rule: Figure
}

export interface Readings {
  told: Figure
  measures: Figure
  since: Figure
}

export interface Hoses {
  replaced: Figure
  due: Figure
  doors: Record<string, { account: string; address: string }>
}

/** A row of the punctuality report. */
export interface Punctuality extends Named {
  rate: number | null
  jobs: Record<string, string[]>
  [verdict: string]: unknown
}

/** What somebody wants to see behind a number. */
export interface Behind {
  title: string
  pile: Pile
}

/** Which days are shown. */
export interface Days {
  from: string
  to: string
}
