// The page of @fastify/swagger-ui has none, and would be a desktop page on a telephone.
const viewport = document.createElement('meta');
viewport.name = 'viewport';
viewport.content = 'width=device-width, initial-scale=1';
document.head.append(viewport);
