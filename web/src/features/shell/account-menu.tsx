import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Switch } from '../../ui/field.tsx';
import { MoreIcon, SwapIcon } from '../../ui/icons.tsx';
import { MenuButton, MenuItem } from '../../ui/popover.tsx';

/** Who one is here, and what one chose for this browser. */
export const AccountMenu = () => {
  const { auth, preferences } = useApp();
  const messages = useMessages();
  const words = messages.account;
  const identity = auth.identity.value;
  if (identity === undefined) return null;
  const { userId, displayName, kind } = identity;
  return (
    <MenuButton
      icon={MoreIcon}
      name={words.menu(displayName)}
      class="account"
      face={<Avatar userId={userId} name={displayName} size="card" />}
    >
      <div class="menu__head">
        <p class="account__name">{words.signedInAs(displayName)}</p>
        <p class="account__note">{kind === 'guest' ? words.guestNote : words[kind]}</p>
      </div>
      <div class="menu__switch">
        <Switch
          label={words.sounds}
          checked={preferences.sounds.value}
          onChange={(on) => {
            preferences.sounds.value = on;
          }}
        />
      </div>
      <MenuItem icon={SwapIcon} onClick={() => auth.signOut()}>
        {words.signOut}
      </MenuItem>
    </MenuButton>
  );
};
