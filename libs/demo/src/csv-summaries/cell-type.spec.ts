import { cellType, timeOf, widened } from './cell-type.js';

describe('A cell', () => {
  it.each([
    ['0', 'integer'],
    ['-17', 'integer'],
    ['+4', 'integer'],
    ['00501', 'integer'],
    ['1.5', 'number'],
    ['-.5', 'number'],
    ['3.', 'number'],
    ['6.02e23', 'number'],
    ['1E-9', 'number'],
    ['1e999', 'text'],
    ['.', 'text'],
    ['1,000', 'text'],
    ['0x1F', 'text'],
    ['NaN', 'text'],
    ['Infinity', 'text'],
    ['true', 'boolean'],
    ['FALSE', 'boolean'],
    ['yes', 'text'],
    ['2024-02-29', 'date'],
    ['2012/01/31', 'date'],
    ['2024-02-29T23:59', 'date'],
    ['2024-02-29 23:59:59.5', 'date'],
    ['2024-02-29T23:59:59Z', 'date'],
    ['2024-02-29T23:59:59+05:30', 'date'],
    ['2023-02-29', 'text'],
    ['2023-04-31', 'text'],
    ['2023-13-01', 'text'],
    ['2023-00-10', 'text'],
    ['2023-01-01T25:00', 'text'],
    ['2023-01/01', 'text'],
    ['Jun 12 1998', 'text'],
    ['١٢', 'text'],
  ])('%s is of type %s', (cell, type) => {
    expect(cellType(cell)).toBe(type);
  });

  it('with a time is compared by its instant, in UTC when it has no offset', () => {
    expect(timeOf('2024-01-01')).toBe(Date.UTC(2024, 0, 1));
    expect(timeOf('2024/01/01 12:30')).toBe(Date.UTC(2024, 0, 1, 12, 30));
    expect(timeOf('2024-01-01T12:30+0200')).toBe(Date.UTC(2024, 0, 1, 10, 30));
    expect(timeOf('noon')).toBeNull();
  });
});

describe('A column', () => {
  it('has the narrowest type of all its cells', () => {
    expect(widened('empty', 'date')).toBe('date');
    expect(widened('integer', 'integer')).toBe('integer');
    expect(widened('integer', 'number')).toBe('number');
    expect(widened('number', 'integer')).toBe('number');
    expect(widened('boolean', 'integer')).toBe('text');
    expect(widened('date', 'integer')).toBe('text');
    expect(widened('text', 'integer')).toBe('text');
  });
});
