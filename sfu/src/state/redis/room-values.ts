import type { RoomControl, Seat, Standing } from '../../rules/room/state.ts';
import { roomControlValue, seatValue, standingValue } from '../room-values.ts';
import { readerOf } from './json.ts';

export const readControl: (text: string, where: string) => RoomControl = readerOf(roomControlValue);
export const readSeat: (text: string, where: string) => Seat = readerOf(seatValue);
export const readStanding: (text: string, where: string) => Standing = readerOf(standingValue);
