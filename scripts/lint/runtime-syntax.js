/**
 * Lint rules for syntax that the compiler takes and a supported Node does not. Tests, examples and scripts run as they are
 * written, with their types stripped and nothing else changed.
 */

/** `using` and `await using`: Node 24 has them, Node 22 has not. */
const noUsing = {
  create(context) {
    return {
      VariableDeclaration(node) {
        if (node.kind !== 'using' && node.kind !== 'await using') return;
        context.report({
          node,
          message:
            'Node 22 does not know `using`; in a test, give it to untilTestEnds (test/support/until-test-ends.ts)',
        });
      },
    };
  },
};

// oxlint-disable-next-line import/no-default-export -- how oxlint finds a plugin
export default { meta: { name: 'runtime-syntax' }, rules: { 'no-using': noUsing } };
