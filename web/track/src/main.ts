// A household's page: how its visit stands, drawn anew every half minute; what it is typing stays.

import { Refused, ask, portrait, type Span, type Track } from './api'
import { el, type Child } from './draw'
import './style.css'
import { age, clock, isoDay, language, moment, say, span, speak, t } from './words'

const EVERY_MS = 30_000
const DAYS_AHEAD = 14

let seen: Track | null = null
let refused = 0
let away = false
let chosen = false
let drawn = ''
/** What is said beside each form, and what of it is open and typed. */
const notes: Record<string, { text: string; bad: boolean }> = {}
const form = { open: '', question: '', day: '', slot: -1, slots: null as Span[] | null, score: 0, words: '' }
let busy = false

async function look(): Promise<void> {
  try {
    const got = await ask<Track>('GET')
    if (!chosen && (seen === null || seen.language !== got.language)) speak(got.language)
    seen = got
    refused = 0
    away = false
  } catch (error) {
    if (error instanceof Refused && error.status < 500) refused = error.status
    else away = true
  }
  draw()
}

/** Sends something once, says how it went, and looks anew. */
async function send(which: string, todo: () => Promise<string>): Promise<void> {
  if (busy) return
  busy = true
  draw()
  try {
    notes[which] = { text: await todo(), bad: false }
  } catch (error) {
    const slow = error instanceof Refused && error.status === 429
    notes[which] = { text: slow ? t('track.slow') : error instanceof Refused ? error.message : t('track.away'), bad: true }
  }
  busy = false
  await look()
}

const note = (which: string): Child => {
  const said = notes[which]
  return said?.text ? el('p', { class: said.bad ? 'bad' : 'good', role: said.bad ? 'alert' : 'status' }, `${said.bad ? '⚠' : '✓'} ${said.text}`) : null
}

function status(it: Track): HTMLElement {
  const offset = it.utc_offset_minutes
  const since = it.status_since === null ? '' : t('track.since', { age: age(it.now - it.status_since) })
  const heard = it.heard_at === null ? '' : t('track.heard', { age: age(it.now - it.heard_at) })
  return el('section', { class: 'now', 'aria-live': 'polite', id: 'status' },
    el('h2', {}, t('track.status')),
    el('p', { class: 'state' }, t(`track.status.${it.status}`)),
    el('p', { class: 'small' }, [since, heard].filter(Boolean).join(' · ')),
    it.expected_at === null ? null : el('p', {}, `${t('track.expected')}: `, el('strong', {}, clock(it.expected_at, offset))),
    el('p', {}, `${t('track.window')}: `, el('strong', {}, it.window ? span(it.window, offset) : t('track.no_window'))),
    away ? el('p', { class: 'bad', role: 'alert' }, `⚠ ${t('track.away')}`) : null,
  )
}

function who(it: Track): HTMLElement {
  const person = it.technician
  if (!person) return el('section', {}, el('h2', {}, t('track.technician')), el('p', {}, t('track.nobody')))
  return el('section', {},
    el('h2', {}, t('track.technician')),
    el('div', { class: 'who' },
      person.has_portrait ? el('img', { src: portrait, alt: t('track.portrait', { name: person.name }) }) : null,
      el('div', {},
        el('p', { class: 'name' }, person.name),
        el('p', {}, person.card ? `${t('track.card')} ${person.card}` : t('track.card_none')),
      ),
    ),
    el('p', { class: 'small' }, t('track.compare')),
  )
}

function copy(it: Track): Child {
  if (!it.copy) return null
  const lines = it.copy.lines.map((line) => el('li', {}, say(line)))
  return el('section', {},
    el('h2', {}, t('track.copy')),
    el('p', {}, t('track.ended', { at: moment(it.copy.ended_at, it.utc_offset_minutes) })),
    lines.length ? el('ul', {}, ...lines) : el('p', { class: 'small' }, t('track.nothing')),
  )
}

/** A part that opens; which one is open is kept over drawing. */
function part(which: string, title: string, ...inside: Child[]): HTMLElement {
  const details = el('details', form.open === which ? { open: '' } : {}, el('summary', {}, title), ...inside)
  details.addEventListener('toggle', () => {
    if (details.open) form.open = which
    else if (form.open === which) form.open = ''
  })
  return el('section', {}, details)
}

function submit(title: string, can: boolean): HTMLElement {
  return el('button', { class: 'main', type: 'submit', ...(can && !busy ? {} : { disabled: '' }) }, title)
}

function onSubmit(made: HTMLElement, todo: () => void): HTMLElement {
  made.addEventListener('submit', (event) => {
    event.preventDefault()
    todo()
  })
  return made
}

function question(): HTMLElement {
  const text = el('textarea', { id: 'question', maxlength: '500', required: '' }) as HTMLTextAreaElement
  text.value = form.question
  text.addEventListener('input', () => (form.question = text.value))
  const made = el('form', {}, el('label', { for: 'question' }, t('track.your_question')), text, submit(t('track.send'), true))
  return part('ask', t('track.ask'), note('ask'), onSubmit(made, () => void send('ask', async () => {
    await ask('POST', '/questions', { text: form.question })
    form.question = ''
    return t('track.asked')
  })))
}

function wish(it: Track): Child {
  const offset = it.utc_offset_minutes
  const asked = it.wish ? el('p', {}, t(`track.wished.${it.wish.state}`, { window: span(it.wish.window, offset) })) : null
  if (!it.may.wish) return asked ? el('section', {}, el('h2', {}, t('track.wish')), asked) : null
  const input = el('input', { id: 'day', type: 'date', required: '', min: isoDay(it.now, offset), max: isoDay(it.now + DAYS_AHEAD * 86_400_000, offset) }) as HTMLInputElement
  input.value = form.day ||= isoDay(it.now + 86_400_000, offset)
  input.addEventListener('input', () => {
    form.day = input.value
    form.slots = null
    form.slot = -1
  })
  const days = onSubmit(el('form', {}, el('label', { for: 'day' }, t('track.day')), input, submit(t('track.look'), true)), () => void send('wish', async () => {
    form.slots = (await ask<{ windows: Span[] }>('POST', '/windows', { day: form.day })).windows
    form.slot = -1
    return ''
  }))
  return part('wish', t('track.wish'), asked, note('wish'), days, slots(offset))
}

function slots(offset: number): Child {
  const free = form.slots
  if (!free) return null
  if (free.length === 0) return el('p', { role: 'status' }, t('track.none_free'))
  const choices = free.map((one, at) => choice('slot', at, form.slot === at, `${clock(one.start, offset)}–${clock(one.end, offset)}`, () => (form.slot = at)))
  const made = el('form', {}, el('fieldset', {}, el('legend', {}, t('track.choose')), el('div', { class: 'slots' }, ...choices)), submit(t('track.send'), form.slot >= 0))
  return onSubmit(made, () => void send('wish', async () => {
    await ask('POST', '/wishes', { window: free[form.slot] })
    form.slots = null
    form.slot = -1
    return ''
  }))
}

function choice(name: string, value: number, checked: boolean, words: string, take: () => void): HTMLElement {
  const input = el('input', { type: 'radio', name, value: String(value), ...(checked ? { checked: '' } : {}) })
  input.addEventListener('change', () => {
    take()
    draw()
    document.querySelector<HTMLInputElement>(`input[name='${name}'][value='${value}']`)?.focus()
  })
  return el('label', {}, input, el('span', {}, words))
}

function rating(it: Track): Child {
  const given = it.rating
  const said = given ? el('p', { class: 'good', role: 'status' }, `✓ ${t('track.rated', { score: given.score })}${given.words ? ` “${given.words}”` : ''}`) : null
  if (!it.may.rate) return said ? el('section', {}, el('h2', {}, t('track.rate')), said) : null
  const score = form.score || given?.score || 0
  const choices = [1, 2, 3, 4, 5].map((one) => choice('score', one, score === one, String(one), () => (form.score = one)))
  const text = el('textarea', { id: 'words', maxlength: '500' }) as HTMLTextAreaElement
  text.value = form.words || given?.words || ''
  text.addEventListener('input', () => (form.words = text.value))
  const made = el('form', {},
    el('fieldset', {}, el('legend', {}, t('track.best')), el('div', { class: 'scores' }, ...choices)),
    el('label', { for: 'words' }, t('track.words')), text, submit(t('track.send'), score > 0))
  const until = given ? el('p', { class: 'small' }, t('track.changes_until', { at: moment(given.changes_until, it.utc_offset_minutes) })) : null
  return el('section', {}, el('h2', {}, t('track.rate')), said, until, bad('rate'), onSubmit(made, () => void send('rate', async () => {
    await ask('PUT', '/rating', { score, words: text.value.trim() })
    return ''
  })))
}

const bad = (which: string): Child => (notes[which]?.bad ? note(which) : null)

function head(title: string): HTMLElement {
  const other = language() === 'zh' ? 'en' : 'zh'
  const button = el('button', { type: 'button', lang: other === 'zh' ? 'zh-CN' : 'en' }, other === 'zh' ? '中文' : 'English')
  button.addEventListener('click', () => {
    chosen = true
    speak(other)
    draw()
  })
  return el('header', {}, el('h1', {}, title), button)
}

function draw(): void {
  const page = document.querySelector('#page')
  if (!page) return
  const it = seen
  const main = el('main', {})
  if (refused) main.append(head(t('track.title')), el('section', { role: 'alert' }, el('p', {}, t(refused === 429 ? 'track.slow' : 'track.over'))))
  else if (!it) main.append(head(t('track.title')), el('p', { role: 'status' }, away ? t('track.away') : '…'))
  else {
    const parts = [status(it), it.copy ? rating(it) : null, copy(it), who(it), it.copy ? null : rating(it), wish(it), it.may.ask ? question() : null]
    main.append(head(`${it.hall} · ${t(`kind.${it.kind}`)}`), ...parts.filter((one) => one !== null))
    main.append(el('p', { class: 'bad small' }, t('track.leak')), el('p', { class: 'small' }, t('track.until', { at: moment(it.until, it.utc_offset_minutes) })))
  }
  // Drawn anew only when something changed, and never under somebody's fingers.
  const html = main.outerHTML
  const focused = document.activeElement instanceof HTMLTextAreaElement || document.activeElement instanceof HTMLInputElement
  if (html === drawn || (focused && !busy && drawn && quiet(html) === quiet(drawn))) return
  drawn = html
  page.replaceChildren(main)
}

/** What a page says beside its ages. */
function quiet(html: string): string {
  return html.replaceAll(/<p class="small">[^<]*<\/p>/g, '')
}

speak(language())
void look()
setInterval(() => void (document.hidden || look()), EVERY_MS)
document.addEventListener('visibilitychange', () => void (document.hidden || look()))
