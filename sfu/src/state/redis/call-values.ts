import type { CallState } from '../../rules/call/state.ts';
import type { History, Ticket } from '../../rules/matching/ticket.ts';
import { callValue, historyValue, ticketValue } from '../call-values.ts';
import { readerOf } from './json.ts';

export const readTicket: (text: string, where: string) => Ticket = readerOf(ticketValue);
export const readCall: (text: string, where: string) => CallState = readerOf(callValue);
export const readHistory: (text: string, where: string) => History = readerOf(historyValue);
