// What happened at a door, said in a line.

import { clock, cubicMetres, dayAndClock, named, t, yuan } from '../../../face/words'
import type { Fact, Pack, Span, Whole } from '../kinds'
import { nameOf } from '../live'
import { offset } from '../session'

const text = (value: unknown) => (value === undefined || value === null ? '' : String(value))

/** The line of a fact, without its time. */
export function factWords(fact: Fact, pack: Pack | null): string {
  const detail = details(fact, pack)
  return [t(`fact.${fact.type}`), detail].filter(Boolean).join('：')
}

function details(fact: Fact, pack: Pack | null): string {
  const item = text(fact['item'])
  switch (fact.type) {
    case 'phoned_ahead':
      return t(fact['reached'] ? 'desk.reached' : 'desk.not_reached')
    case 'agreed_anew':
      return `${spanWords(fact['window'] as Span)} · ${t(`channel.${text(fact['channel'])}`)}`
    case 'arrived': {
      const fix = fact['fix'] as { accuracy_m: number } | undefined
      return fix ? t('desk.fix', { metres: Math.round(fix.accuracy_m) }) : t('desk.no_fix')
    }
    case 'conduct': {
      const known = pack?.conduct.find((it) => it.id === item)
      const answer = fact['answer'] as { answer: string; reason?: string }
      return [known ? `${named(known)}（${known.rule}）` : item, t(`answer.${answer.answer}`), answer.reason ?? ''].filter(Boolean).join(' · ')
    }
    case 'read': {
      const verdict = fact['verdict'] as { finding: string }
      const register = fact['register'] === undefined ? '' : `${cubicMetres(Number(fact['register']))} m³`
      const state = fact['state'] === undefined ? '' : t(`reading_state.${text(fact['state'])}`)
      return [register, state, t(`finding.${verdict.finding}`)].filter(Boolean).join(' · ')
    }
    case 'meter_changed': {
      const removed = fact['removed'] as { register?: number; verdict: { finding: string } } | undefined
      const installed = fact['installed'] as { serial: string; size: string; register: number } | undefined
      const old = removed && t('desk.meter_out', { register: removed.register === undefined ? '—' : cubicMetres(removed.register), finding: t(`finding.${removed.verdict.finding}`) })
      const fresh = installed && t('desk.meter_in', { serial: installed.serial, size: installed.size, register: cubicMetres(installed.register) })
      const seal = fact['seal'] ? t('desk.seal', { seal: text(fact['seal']) }) : ''
      return [old, fresh, seal].filter(Boolean).join('；')
    }
    case 'measure_taken':
      return t(`measure.${text(fact['measure'])}`)
    case 'hose_replaced': {
      const hose = fact['installed'] as { kind: string; length_mm: number }
      const lot = text(fact['lot'])
      return [`${t(`hose_kind.${hose.kind}`)} ${hose.length_mm} mm`, fact['free'] ? t('desk.free') : '', lot ? t('ledger.lot', { lot }) : ''].filter(Boolean).join(' · ')
    }
    case 'hose_seen': {
      const hose = fact['hose'] as { kind: string; length_mm: number; installed_on: string; is_estimated?: boolean; joints?: number }
      const joints = hose.joints ? t('ledger.joints', { count: hose.joints }) : ''
      return [fact['gone'] ? t('work.gone') : '', `${t(`hose_kind.${hose.kind}`)} ${hose.length_mm} mm`, sinceWords(hose.installed_on, hose.is_estimated), joints].filter(Boolean).join(' · ')
    }
    case 'appliance_seen': {
      const it = fact['appliance'] as { kind: string; brand: string; model: string; sold_on?: string; is_estimated?: boolean }
      return [fact['gone'] ? t('work.gone') : '', t(`appliance_kind.${it.kind}`), it.brand, it.model, it.sold_on ? sinceWords(it.sold_on, it.is_estimated) : ''].filter(Boolean).join(' · ')
    }
    case 'surveyed':
      return `${t(fact['feasible'] ? 'work.feasible' : 'work.not_feasible')} · ${text(fact['text'])}`
    case 'tightness_tested':
      return t(fact['tight'] ? 'desk.tight' : 'desk.leaks')
    case 'gas_switched':
      return t(fact['on'] ? 'desk.gas_on' : 'desk.gas_off')
    case 'hazard_found': {
      const known = pack?.hazards.find((it) => it.id === item)
      return [known ? named(known) : item, t('desk.level', { level: text(fact['level']) }), text(fact['text'])].filter(Boolean).join(' · ')
    }
    case 'notice_given': {
      const answer = fact['answer'] as { answer: string; reason?: string } | undefined
      return answer ? [t(`doors.notice.${answer.answer}`), answer.reason ?? ''].filter(Boolean).join(' · ') : ''
    }
    case 'hazard_rechecked':
      return t(fact['gone'] ? 'desk.gone' : 'desk.still_there')
    case 'door_sniffed':
      return t(fact['leak'] ? 'desk.sniffed_gas' : 'desk.sniffed_nothing')
    case 'cash_taken':
      return [yuan(Number(fact['amount'])), text(fact['receipt']), text(fact['reason'])].filter(Boolean).join(' · ')
    case 'contract_signed':
      return text(fact['number'])
    case 'photo_taken':
      return t(`subject.${text(fact['subject'])}`)
    case 'closed': {
      const outcome = fact['outcome'] as { outcome: string; reason?: string; follow_up?: string }
      return [t(`status.${outcome.outcome}`), outcome.reason ?? '', outcome.follow_up ?? ''].filter(Boolean).join(' · ')
    }
    default:
      return text(fact['question'] ?? fact['text'] ?? fact['reason'])
  }
}

const sinceWords = (day: string, isEstimated?: boolean) => `${day}${isEstimated ? ` (${t('work.estimated')})` : ''}`

export function spanWords(span: Span): string {
  return `${dayAndClock(span.start, offset())}–${clock(span.end, offset())}`
}

/** What a change added, said in a line. */
export function addedWords(what: string, id: string, job: Whole, pack: Pack | null): string {
  const { plan } = job
  switch (what) {
    case 'appointment': {
      const made = plan.appointments[id]
      return made ? `${t('desk.added.appointment')}：${spanWords(made.window)} · ${t(`channel.${made.channel}`)}` : ''
    }
    case 'assignment':
      return `${t('desk.added.assignment')}：${plan.assignments[id]?.technician ? nameOf(plan.assignments[id]?.technician ?? null) : t('desk.nobody')}`
    case 'cancellation':
      return `${t('desk.added.cancellation')}：${plan.cancelled[id]?.reason ?? ''}`
    case 'instruction':
      return `${t('desk.added.instruction')}：${plan.instructions[id]?.text ?? ''}`
    case 'ruling':
      return `${t('desk.added.ruling')}：${plan.rulings[id]?.reason ?? ''}`
    case 'tick': {
      const tick = plan.clock?.[id]
      return tick ? `${t(`clock.${tick.event}`)}：${dayAndClock(tick.at, offset())}${tick.reason ? ` · ${tick.reason}` : ''}` : ''
    }
    case 'call':
      return `${t('leak.added')}：${plan.calls?.[id]?.name ?? ''}`
    case 'message':
      return `${t('desk.added.message')}：${job.messages[id]?.text ?? ''}`
    case 'fact': {
      const fact = Object.values(job.visits).map((visit) => visit.facts[id]).find(Boolean)
      return fact ? factWords(fact, pack) : ''
    }
    default:
      return t('desk.added.job')
  }
}
