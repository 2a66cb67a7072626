import { statusLabel, STATUSES } from './format.js';
import { html } from './html.js';

interface Props {
  readonly query: string;
  readonly isWhole: boolean;
  /** To choose from. */
  readonly names: readonly string[];
}

/** The filter of the list, which is in the address: a view can be sent to a colleague. */
export function Filters({ query, isWhole, names }: Props) {
  const values = new URLSearchParams(query);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const entries = [...new FormData(event.target as HTMLFormElement)] as [string, string][];
    const given = entries.map(([name, value]) => [name, value.trim()] as const).filter(([, value]) => value !== '');
    const id = given.find(([name]) => name === 'id')?.[1];
    location.hash =
      id === undefined
        ? `#/jobs?${new URLSearchParams(given.map(([name, value]) => [name, value]))}`
        : `#/jobs/${encodeURIComponent(id)}`;
  };
  const field = (name: string, label: string, list?: string) =>
    html`<label
      >${label}<input
        name=${name}
        list=${list}
        defaultValue=${values.get(name) ?? ''}
        maxlength="1000"
        autocomplete="off"
    /></label>`;
  return html`<form class="filters" key=${query} onSubmit=${submit}>
    ${field('name', 'Name', 'names')}
    <datalist id="names">${names.map((name) => html`<option value=${name} />`)}</datalist>
    <label
      >Status<select name="status">
        <option value="">All</option>
        ${STATUSES.map((status) => html`<option value=${status} selected=${values.get('status') === status}>${statusLabel(status)}</option>`)}
      </select></label
    >
    ${isWhole && field('owner', 'Owner')} ${field('errorCode', 'Error code')} ${field('id', 'Id')}
    <button class="primary">Filter</button><a class="button" href="#/jobs">Clear</a>
  </form>`;
}
