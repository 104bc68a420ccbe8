// Requests to the hall, with every way in which they fail told apart. None of them changes anything on the phone.

import type { ReminderName } from '../kinds'
import type { OwnCash, TestCame } from './protocol'

/** Why there is no word of the hall. */
export type Fault = 'offline' | 'not_the_hall' | 'not_accepted' | 'busy' | 'too_old' | 'refused'

/** Something that is no answer. */
export class HallFault extends Error {
  constructor(
    readonly fault: Fault,
    /** The hall's own word for it, when it has one. */
    readonly problem: string | null = null,
  ) {
    super(fault)
  }
}

/** What the hall gives a phone that it enrols. */
export interface Enrolled {
  token: string
  device: string
  user: { id: string; hall: string; name: string }
  share: string
  recovery: string
  lease_days: number
}

/** A reminder as the hall names it. */
export interface HallReminder extends ReminderName {
  id: string
}

/** What somebody said to a reminder, and when by the hall's time. */
export type ReminderAnswer = { said: 'done'; at: number } | { said: 'later'; minutes: number; at: number }

const PATIENCE_MS = 20_000
const CBOR = 'application/cbor'

export class Hall {
  token: string | null = null

  /** Exchanges what the brain made for what the hall says. */
  async exchange(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const reply = await this.send('POST', '/api/sync', body, CBOR)
    await this.check(reply, CBOR)
    return new Uint8Array(await arrived(reply.arrayBuffer()))
  }

  /** Enrols this phone, or lets it go on under its old name. */
  async enrol(asked: Record<string, string>): Promise<Enrolled> {
    return this.json('POST', '/api/devices', asked)
  }

  /** Asks for the share again, for another lease. */
  async lend(): Promise<{ share: string; lease_days: number }> {
    return this.json('GET', '/api/devices/self/share')
  }

  /** Ends the session. */
  async signOut(): Promise<void> {
    await this.send('DELETE', '/api/session')
  }

  /** A picture that the hall holds. */
  async photo(job: string, hash: string): Promise<Uint8Array> {
    const reply = await this.send('GET', `/api/jobs/${job}/photos/${hash}`)
    await this.check(reply, 'image/')
    return new Uint8Array(await arrived(reply.arrayBuffer()))
  }

  /** The brain's other half of `upload`: status 0 when there was no reply. */
  async upload(
    job: string,
    hash: string,
    offset: number,
    length: number,
    part?: Uint8Array<ArrayBuffer>,
  ): Promise<{ status: number; offset?: number; held?: boolean; detail?: string }> {
    const path = `/api/jobs/${job}/photos/${hash}/upload`
    try {
      const reply = part
        ? await this.send('PUT', `${path}?offset=${offset}&length=${length}`, part, 'application/octet-stream')
        : await this.send('GET', path)
      const isJson = reply.headers.get('content-type')?.includes('json')
      if (!isJson) return { status: reply.ok ? 0 : reply.status }
      return { ...(await arrived(reply.json())), status: reply.status }
    } catch {
      return { status: 0 }
    }
  }

  /** Opens the stream of what the technician has to hear. */
  async listen(signal: AbortSignal): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    const headers: Record<string, string> = { accept: 'text/event-stream', authorization: `Bearer ${this.token}` }
    const reply = await fetch('/api/notices/live', { headers, cache: 'no-store', credentials: 'omit', redirect: 'error', signal })
    await this.check(reply, 'text/event-stream')
    if (!reply.body) throw new HallFault('offline')
    return reply.body.getReader()
  }

  /** Says that a person was shown a notice. */
  async shown(id: string): Promise<void> {
    await this.said('POST', `/api/notices/${id}/shown`, { by: 'stream' })
  }

  async pushKey(): Promise<{ public_key: string }> {
    return this.json('GET', '/api/push/key')
  }

  /** False when the hall knows that this very subscription is over. */
  async subscribe(subscription: Record<string, string>): Promise<boolean> {
    try {
      await this.said('PUT', '/api/push/subscription', subscription)
      return true
    } catch (error) {
      if (error instanceof HallFault && error.problem === 'conflict') return false
      throw error
    }
  }

  async unsubscribe(): Promise<void> {
    await this.said('DELETE', '/api/push/subscription')
  }

  async testNotice(): Promise<{ id: string }> {
    return this.json('POST', '/api/notices/test')
  }

  async notice(id: string): Promise<TestCame> {
    return this.json('GET', `/api/notices/${id}`)
  }

  /** What this technician carries. */
  async cash(): Promise<OwnCash> {
    return this.json('GET', '/api/cash/mine')
  }

  /** What the hall reminds this technician of. */
  async reminders(): Promise<HallReminder[]> {
    return (await this.json<{ reminders: HallReminder[] }>('GET', '/api/reminders')).reminders
  }

  /** Says what the technician said to one of them. */
  async answerReminder(id: string, answer: ReminderAnswer): Promise<void> {
    if (answer.said === 'done') await this.said('POST', `/api/reminders/${id}/done`)
    else await this.said('POST', `/api/reminders/${id}/snooze`, { minutes: answer.minutes, said_at: answer.at })
  }

  /** A request that is answered without a word. */
  private async said(method: string, path: string, body?: unknown): Promise<void> {
    const bytes = body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body))
    const reply = await this.send(method, path, bytes, 'application/json')
    if (reply.status !== 204) await this.check(reply, 'application/json')
  }

  private async json<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const bytes = body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body))
    const reply = await this.send(method, path, bytes, 'application/json')
    await this.check(reply, 'application/json')
    return arrived(reply.json())
  }

  private async send(
    method: string,
    path: string,
    body?: Uint8Array<ArrayBuffer>,
    type?: string,
  ): Promise<Response> {
    const headers: Record<string, string> = {}
    if (this.token) headers['authorization'] = `Bearer ${this.token}`
    if (body && type) headers['content-type'] = type
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const how: RequestInit = { method, headers, cache: 'no-store', credentials: 'omit', redirect: 'error', signal }
    if (body) how.body = body
    return arrived(fetch(path, how))
  }

  /** A captive portal answers 200 with a page: only the expected type is the hall's word. */
  private async check(reply: Response, type: string): Promise<void> {
    const is = reply.headers.get('content-type') ?? ''
    if (reply.ok && is.startsWith(type)) return
    if (reply.ok) throw new HallFault('not_the_hall')
    const problem = is.includes('problem+json') ? await problemOf(reply) : null
    if (problem === null && reply.status < 500) throw new HallFault('not_the_hall')
    throw new HallFault(faultOf(reply.status), problem)
  }
}

function faultOf(status: number): Fault {
  if (status === 401 || status === 403) return 'not_accepted'
  if (status === 426) return 'too_old'
  if (status === 429 || status >= 500) return 'busy'
  return 'refused'
}

async function problemOf(reply: Response): Promise<string | null> {
  try {
    const problem = (await reply.json()) as { type?: string }
    return problem.type?.split(':').pop() ?? null
  } catch {
    return null
  }
}

/** Waits for what comes over the network; whatever breaks it means that there is no connection. */
async function arrived<What>(coming: Promise<What>): Promise<What> {
  try {
    return await coming
  } catch {
    throw new HallFault('offline')
  }
}
