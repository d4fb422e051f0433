// Uses the generated documents as a front end does. Only compiled, never run: each line with
// `@ts-expect-error` must be an error, every other line must not.
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import { useFragment } from './generated';
import {
  AnythingDocument,
  CardsDocument,
  CreateProductDocument,
  ProductCardFragmentDoc,
  ProductDocument,
  SignInDocument,
  UpdateProductDocument,
  UploadPictureDocument,
} from './generated/graphql';

const apollo = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: '/graphql/' }) });
const urql = new Client({ url: '/graphql/', exchanges: [fetchExchange], preferGetMethod: false });

export async function cards(): Promise<string[]> {
  const { data } = await apollo.query({
    query: CardsDocument,
    variables: {
      filter: { price: { max: '30.00' }, created: { min: '2026-01-01T00:00:00Z' } },
      orderBy: { field: 'PRICE' },
    },
  });
  return (data?.products.edges ?? []).map(({ node }) => {
    const card = useFragment(ProductCardFragmentDoc, node);
    const since: string = card.createdAt;
    const price: string | undefined = card.minPrice?.amount;
    return `${card.name} ${price ?? '-'} ${new Date(since).getFullYear()}`;
  });
}

export async function create(name: string, file: File): Promise<string | null> {
  const made = await urql.mutation(CreateProductDocument, { name });
  const payload = made.data?.productCreate;
  if (payload?.userErrors.some(({ code }) => code === 'DUPLICATE_SLUG')) return null;
  const product = payload?.product?.id;
  if (!product) return null;
  const sent = await apollo.mutate({ mutation: UploadPictureDocument, variables: { product, file } });
  return sent.data?.mediaCreate?.media?.url ?? null;
}

export async function anything(id: string): Promise<string> {
  const { data } = await urql.query(AnythingDocument, { id });
  switch (data?.node?.__typename) {
    case 'Product':
      return `${data.node.name} ${data.node.status}`;
    case 'User':
      return data.node.email;
    default:
      return data?.node?.id ?? 'nothing';
  }
}

export async function mistakes(): Promise<void> {
  // @ts-expect-error: the variable is required.
  await apollo.query({ query: ProductDocument, variables: {} });
  // @ts-expect-error: no such order.
  await apollo.query({ query: CardsDocument, variables: { orderBy: { field: 'WEIGHT' } } });
  // @ts-expect-error: prices are strings, never binary floats.
  await apollo.query({ query: CardsDocument, variables: { filter: { price: { max: 30 } } } });
  // @ts-expect-error: no such field in the input.
  await apollo.mutate({ mutation: UpdateProductDocument, variables: { input: { id: '1', colour: 'red' } } });
  // @ts-expect-error: a file, not its name.
  await urql.mutation(UploadPictureDocument, { product: '1', file: 'mug.jpg' });
  const { data } = await urql.mutation(SignInDocument, { email: 'ann@example.org', password: '' });
  // @ts-expect-error: there is no token when there are userErrors.
  const token: string = data?.tokenAuth?.token;
  // @ts-expect-error: no such code.
  data?.tokenAuth?.userErrors.some(({ code }) => code === 'WRONG');
  console.log(token);
}
