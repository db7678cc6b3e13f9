import { useId } from 'preact/hooks';
import { StarIcon } from './call-icons.tsx';
import './stars.css';

const places = [1, 2, 3, 4, 5] as const;

type StarsProps = {
  readonly label: string;
  /** 0 before one was chosen. */
  readonly value: number;
  readonly nameOf: (stars: number) => string;
  readonly onChange: (stars: number) => void;
};

/** One to five stars: native radio buttons, so that the arrow keys choose and a screen reader counts. */
export const Stars = ({ label, value, nameOf, onChange }: StarsProps) => {
  const name = useId();
  return (
    <fieldset class="stars">
      <legend class="stars__label">{label}</legend>
      <div class="stars__row">
        {places.map((place) => (
          <label key={place} class={place <= value ? 'star star--lit' : 'star'}>
            <input
              class="star__input"
              type="radio"
              name={name}
              value={place}
              checked={place === value}
              aria-label={nameOf(place)}
              onChange={() => onChange(place)}
            />
            <StarIcon />
          </label>
        ))}
      </div>
    </fieldset>
  );
};
