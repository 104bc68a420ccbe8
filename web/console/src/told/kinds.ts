// What the API says of notices, links and answers of households; instants are Unix milliseconds.

export interface Notice {
  id: string
  occasion: string
  language: 'zh' | 'en'
  words: string
  job: string | null
  made_at: number
  send_at: number
  state: string
  ended_at: number | null
  error: string | null
}

export interface Told {
  notices: Notice[]
  listens: boolean
}

export interface Answers {
  links: { made_at: number; made_by: string | null; expires_at: number; revoked_at: number | null }[]
  wishes: { id: string; case: string | null; window: { start: number; end: number }; made_at: number; state: string; decided_by: string | null; decided_at: number | null }[]
  rating: { score: number; words: string; rated_at: number; changed_at: number } | null
  has_address: boolean
}
