import { z } from "zod";

/**
 * A resource's schema without defaults. An omitted field stays omitted, and the resource's own check fills it
 * in. @internal
 */
type AsGiven<S> =
  S extends z.ZodDefault<infer Inner>
    ? z.ZodOptional<AsGiven<Inner>>
    : S extends z.ZodNullable<infer Inner>
      ? z.ZodNullable<AsGiven<Inner>>
      : S extends z.ZodOptional<infer Inner>
        ? z.ZodOptional<AsGiven<Inner>>
        : S extends z.ZodObject<infer Shape>
          ? z.ZodObject<AllAsGiven<Shape>, z.core.$strict>
          : S;

/** The fields of a shape, each without defaults. @internal */
type AllAsGiven<Shape> = { [Name in keyof Shape]: AsGiven<Shape[Name]> };

const without = (schema: unknown): unknown => {
  if (schema instanceof z.ZodDefault) return (without(schema.unwrap()) as z.ZodType).optional();
  if (schema instanceof z.ZodNullable) return (without(schema.unwrap()) as z.ZodType).nullable();
  if (schema instanceof z.ZodOptional) return (without(schema.unwrap()) as z.ZodType).optional();
  // A new object would lose the checks of this one. No object with checks has defaults.
  if (schema instanceof z.ZodObject && !schema.def.checks?.length)
    return z.strictObject(allWithout(schema.shape) as z.ZodRawShape);
  return schema;
};

const allWithout = (shape: object) =>
  Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, without(field)]));

/**
 * Returns a schema that accepts and refuses the same values with the same messages, and fills in no default.
 * @internal
 */
export const asGiven = <S extends z.ZodType>(schema: S): AsGiven<S> => without(schema) as AsGiven<S>;

/** Returns fields of a resource's schema, all or the named ones, for a cluster's own `asGiven`. @internal */
export const fieldsOf = <Shape extends z.ZodRawShape, Name extends keyof Shape = keyof Shape>(
  { shape }: z.ZodObject<Shape>,
  ...names: Name[]
): AllAsGiven<Pick<Shape, Name>> =>
  allWithout(
    names.length === 0 ? shape : Object.fromEntries(names.map((name) => [name, shape[name as string]])),
  ) as AllAsGiven<Pick<Shape, Name>>;
