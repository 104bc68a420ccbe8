// An entry of the ledger, said in a line.

import { cubicMetres, named, t, telephone } from '../../../face/words'
import type { Entry, StepName } from './kinds'

export function entryWords(it: Entry, steps: StepName[]): string {
  const group = it.group ? t(`group.${it.group}`) : ''
  const purpose = it.purpose ? t(`ledger.purpose.${it.purpose}`) : ''
  const channel = it.channel ? t(`channel.${it.channel}`) : ''
  switch (it.type) {
    case 'contact_corrected': {
      const phone = it.phone === it.phone_before ? '' : t('ledger.entry.phone', { before: telephone(it.phone_before ?? ''), after: telephone(it.phone ?? '') })
      const access = it.access === it.access_before ? '' : t('ledger.entry.access', { before: it.access_before || '—', after: it.access || '—' })
      return [phone, access].filter(Boolean).join('；')
    }
    case 'group_shown':
      return it.until ? t('ledger.entry.group_until', { group, paper: it.paper ?? '', until: it.until }) : t('ledger.entry.group_shown', { group, paper: it.paper ?? '' })
    case 'group_withdrawn':
      return t('ledger.entry.group_withdrawn', { group, reason: it.reason ?? '' })
    case 'consent_given':
      return t('ledger.entry.consent_given', { purpose, version: it.version ?? '', channel })
    case 'consent_withdrawn':
      return t('ledger.entry.consent_withdrawn', { purpose, channel })
    case 'holder_changed':
      return t('ledger.entry.holder', { before: it.holder_before || '—', after: it.holder ?? '' })
    case 'address_changed':
      return t('ledger.entry.address', { before: it.address_before || '—', after: it.address ?? '' })
    case 'register_reported':
      return t('ledger.entry.register', { register: cubicMetres(it.register ?? 0), state: t(`reading_state.${it.state}`), channel, finding: t(`finding.${it.verdict?.finding}`) })
    case 'language_chosen':
      return t('told.language_chosen', { language: it.language === 'en' ? 'English' : '中文' })
    case 'hazard_extended':
      return t('ledger.entry.hazard_extended', { until: it.until ?? '', text: it.text ?? '' })
    case 'hazard_step_done':
    case 'ladder_step_done': {
      const step = steps.find((one) => one.id === it.step)
      return t('ledger.entry.step', { step: step ? named(step) : it.step ?? '', text: it.text ?? '' })
    }
    default:
      return t('ledger.entry.hazard_cleared', { text: it.text ?? '' })
  }
}
