// Lists values of the types of PostGIS: ordinary values and edge cases.

const SHAPES = [
  'POINT(1 2)',
  'SRID=4326;POINT(-0 1e-7)',
  'POINT Z (1 2 3)',
  'POINT M (1 2 3)',
  'SRID=4326;POINT ZM (1 2 3 4)',
  'POINT EMPTY',
  'SRID=4326;POINT EMPTY',
  'LINESTRING(0 0,1 1,2 3)',
  'LINESTRING EMPTY',
  'POLYGON((0 0,1 0,1 1,0 0),(0.2 0.1,0.3 0.1,0.3 0.2,0.2 0.1))',
  'POLYGON EMPTY',
  'MULTIPOINT(0 0,1 1)',
  'MULTILINESTRING((0 0,1 1),(2 2,3 3))',
  'SRID=3857;MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))',
  'SRID=4326;GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))',
  'GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2)),POINT EMPTY)',
  'GEOMETRYCOLLECTION EMPTY',
  'COMPOUNDCURVE(CIRCULARSTRING(0 0,1 1,1 0),(1 0,0 1))',
  'MULTISURFACE(CURVEPOLYGON(CIRCULARSTRING(0 0,4 0,4 4,0 4,0 0)))',
  'TIN(((0 0 0,0 0 1,0 1 0,0 0 0)))',
];
const onEarth = (shape: string): boolean => !/CURVE|SURFACE|TIN|3857/.test(shape);
const quoted = (shape: string): string => `'${shape}'`;
/** A polygon of 8,000 corners, which Postgres stores outside its row. */
const FAR = `ST_Buffer('POINT(0 0)'::geometry, 1, 2000)`;

/** Maps each type to values as SQL. Each column also gets NULLs. */
export const POSTGIS_VALUES: Readonly<Record<string, readonly string[]>> = {
  geometry: [...SHAPES.map(quoted), FAR],
  'geometry(Point,4326)': ["'SRID=4326;POINT(13.4 52.5)'", "'SRID=4326;POINT EMPTY'"],
  'geometry(PointZM)': ["'POINT ZM (1 2 3 4)'"],
  geography: SHAPES.filter(onEarth).map(quoted),
  'geography(Point,4326)': ["'POINT(13.4 52.5)'"],
  spot: ["'SRID=4326;POINT(13.4 52.5)'"],
};
