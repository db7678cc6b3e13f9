import type { CommandInput, CommandName, CommandOutput } from '@rostrum/shared/protocol/index.ts';
import type { RoomChanges, RoomView } from '@rostrum/shared/protocol/room.ts';

type MuteOptions = { readonly locked?: boolean; readonly reason?: string };

/** An optional field of a command: left out where there is nothing to say, as the schemas want it. */
const optional = <Name extends string, Value>(name: Name, value: Value | undefined): { [name in Name]?: Value } =>
  value === undefined ? {} : ({ [name]: value } as { [name in Name]?: Value });

/** The part of a room session that only hands commands on to the server. Every method @throws RostrumError. */
export abstract class RoomCommands {
  abstract readonly roomId: string;
  abstract readonly view: RoomView;

  protected abstract command<Name extends CommandName>(
    name: Name,
    input: CommandInput<Name>,
  ): Promise<CommandOutput<Name>>;

  raiseHand(): Promise<{ position: number }> {
    return this.command('room:hand-raise', { roomId: this.roomId });
  }

  async lowerHand(): Promise<void> {
    await this.command('room:hand-lower', { roomId: this.roomId });
  }

  async acceptHand(userId?: string): Promise<void> {
    await this.command('room:hand-accept', { roomId: this.roomId, ...optional('userId', userId) });
  }

  async declineHand(userId?: string): Promise<void> {
    await this.command('room:hand-decline', { roomId: this.roomId, ...optional('userId', userId) });
  }

  async moveHandToFront(userId: string): Promise<void> {
    await this.command('room:hand-to-front', { roomId: this.roomId, userId });
  }

  async setHandAllowed(userId: string, allowed: boolean): Promise<void> {
    await this.command('room:hand-allow', { roomId: this.roomId, userId, allowed });
  }

  async inviteToSpeak(userId: string): Promise<void> {
    await this.command('room:invite-to-speak', { roomId: this.roomId, userId });
  }

  async answerInvitation(accept: boolean): Promise<void> {
    await this.command('room:speak-answer', { roomId: this.roomId, accept });
  }

  async promote(userId: string, role: 'speaker' | 'moderator'): Promise<'promoted' | 'invited'> {
    const { outcome } = await this.command('room:promote', { roomId: this.roomId, userId, role });
    return outcome;
  }

  async demote(userId: string, role: 'speaker' | 'listener'): Promise<void> {
    await this.command('room:demote', { roomId: this.roomId, userId, role });
  }

  stepDown(): Promise<void> {
    return this.demote(this.view.self.userId, 'listener');
  }

  async mute(userId: string, { locked = false, reason }: MuteOptions = {}): Promise<void> {
    await this.command('room:mute', { roomId: this.roomId, userId, locked, ...optional('reason', reason) });
  }

  async muteAll({ locked = false, reason }: MuteOptions = {}): Promise<void> {
    await this.command('room:mute-all', { roomId: this.roomId, locked, ...optional('reason', reason) });
  }

  async kick(userId: string, reason?: string): Promise<void> {
    await this.command('room:kick', { roomId: this.roomId, userId, ...optional('reason', reason) });
  }

  async ban(userId: string, reason?: string): Promise<void> {
    await this.command('room:ban', { roomId: this.roomId, userId, ...optional('reason', reason) });
  }

  async unban(userId: string): Promise<void> {
    await this.command('room:unban', { roomId: this.roomId, userId });
  }

  async update(changes: RoomChanges): Promise<void> {
    await this.command('room:update', { roomId: this.roomId, changes });
  }

  async handOver(userId: string): Promise<void> {
    await this.command('room:handover', { roomId: this.roomId, userId });
  }

  async end(): Promise<void> {
    await this.command('room:end', { roomId: this.roomId });
  }
}
