// Identifies the Temporal namespace, because two clusters may have namespaces of the same name.

interface Describes {
  describeNamespace(request: {
    namespace: string;
  }): Promise<{ namespaceInfo?: { id?: string | null } | null }>;
}

/**
 * Returns the id that the cluster gave the namespace. Returns null if Temporal does not return the
 * id, for example because Sluice's credentials have no right to read it.
 */
export async function namespaceId(service: Describes, namespace: string): Promise<string | null> {
  const described = await service.describeNamespace({ namespace }).catch(() => null);
  return described?.namespaceInfo?.id || null;
}
