// Identifies the Temporal namespace, because two clusters may have namespaces of the same name.

interface Describes {
  describeNamespace(request: {
    namespace: string;
  }): Promise<{ namespaceInfo?: { id?: string | null } | null }>;
}

/** Status codes of gRPC: permission denied, not implemented, not authenticated. */
const NOT_OFFERED = [7, 12, 16];

/**
 * Returns the id that the cluster gave the namespace. Returns null if the server does not offer the
 * id to these credentials. Throws any other error, because without the id, two clusters look alike.
 */
export async function namespaceId(service: Describes, namespace: string): Promise<string | null> {
  try {
    return (await service.describeNamespace({ namespace })).namespaceInfo?.id || null;
  } catch (error) {
    if (NOT_OFFERED.includes((error as { code?: number }).code ?? 0)) return null;
    throw error;
  }
}
