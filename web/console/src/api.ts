// Requests to the hall's server. What it refuses comes as problem details and is told in words.

import { t } from '../../face/words'

/** The server, or the network, said no. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** The last part of the problem's type. */
    readonly kind: string,
    readonly detail: string,
    /** Whatever else it says. */
    readonly more: Record<string, unknown> = {},
  ) {
    super(detail)
  }

  /** What a person is told. */
  get words(): string {
    const reason = `${this.kind.split('-')[0] ?? ''}.refused.${String(this.more['reason'])}`
    if (this.more['reason'] && t(reason) !== reason) return t(reason)
    const key = `problem.${this.kind}`
    const known = t(key)
    return known === key ? this.detail : known
  }
}

let onSignedOut: () => void = () => undefined

/** Says what happens when the session is over. */
export function whenSignedOut(task: () => void): void {
  onSignedOut = task
}

let askPassword: () => Promise<boolean> = async () => false

/** Says how the password is asked for again; `true` once the server took it. */
export function whenPasswordNeeded(task: () => Promise<boolean>): void {
  askPassword = task
}

/** How often the session got another token: what was under way meanwhile carried the old one. */
let tokens = 0

/** Counts another token of this session. */
export function gotToken(): void {
  tokens += 1
}

export async function send<What>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<What> {
  const before = tokens
  try {
    return await sendOnce<What>(method, path, body, headers)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const wasOvertaken = error.kind === 'not-signed-in' && tokens !== before
    if (wasOvertaken || (error.kind === 'password-needed' && (await askPassword()))) {
      return await sendOnce<What>(method, path, body, headers)
    }
    if (error.kind === 'not-signed-in') onSignedOut()
    throw error
  }
}

async function sendOnce<What>(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<What> {
  const init: RequestInit = { method, headers: { ...headers } }
  if (body instanceof Blob) init.body = body
  else if (body !== undefined) {
    init.headers = { ...headers, 'content-type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  const reply = await fetch(path, init).catch(() => null)
  if (!reply) throw new Problem(0, 'offline', t('desk.no_server'))
  if (reply.ok) return (reply.status === 204 ? undefined : await reply.json()) as What
  const said = (await reply.json().catch(() => ({}))) as Record<string, unknown>
  throw new Problem(reply.status, String(said['type'] ?? '').split(':').pop() ?? '', String(said['detail'] ?? reply.statusText), said)
}

export const get = <What>(path: string) => send<What>('GET', path)

/** A creation or edit; sent again it counts once, and an edit of a version that is gone is refused. */
export function post<What>(path: string, body: unknown, position?: number): Promise<What> {
  const headers: Record<string, string> = { 'idempotency-key': crypto.randomUUID() }
  if (position !== undefined) headers['if-match'] = `"${position}"`
  return send<What>('POST', path, body, headers)
}

/** All pages of a list. */
export async function all<Row>(path: string, name: string): Promise<Row[]> {
  const rows: Row[] = []
  for (let after: string | null = ''; after !== null; ) {
    const mark: string = after ? `&after=${encodeURIComponent(after)}` : ''
    const page: Record<string, unknown> = await get(`${path}${path.includes('?') ? '&' : '?'}limit=500${mark}`)
    rows.push(...(page[name] as Row[]))
    after = page['next'] as string | null
  }
  return rows
}
