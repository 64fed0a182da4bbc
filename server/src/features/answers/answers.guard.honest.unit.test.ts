import { describe, expect, test } from 'vitest';
import { badIn, guarded, units } from './test-guard.ts';

/** What a good model writes about the sample shop. */
const answers = [
  'You have **30 days** to return your shoes, counted from the day after delivery [1].',
  'As a Trailhead member you have 100 days; everyone else has 30 days [1].',
  'The return period is a 30-day period [1]. Trailhead members get a 100-day one [1].',
  'You have thirty days [1].',
  'We check your return within 3 working days of its arrival at our warehouse [2].',
  'Klarna takes 5–7 working days, PayPal 1 working day [2].',
  'Klarna takes 5-7 working days. [2] PayPal is faster. [2]',
  'iDEAL: 1–2 working days [2]\nKlarna: 5–7 working days [2]',
  '| You paid with | Back within |\n| --- | --- |\n| PayPal | 1 working day |\n| Klarna | 5–7 working days |\n\nThe times are from our table [2].',
  'You get a code for €10 off your first order of €80 or more [3].',
  'You get a code for 10 € off your first order of 80 EUR or more [3].',
  'The code is valid for 60 days and counts once [3].',
  'Standard delivery is free from **€75** in the EU and **€150** in Norway [6].',
  'Delivery prices:\n\n- Netherlands: €3.95\n- Belgium: €4.95\n- United States: €19.95\n\nAll of them are for standard delivery [6].',
  'It is free [1]. The prices are:\n- Netherlands: €3.95\n- Belgium: €4.95 [6]',
  'Order before 3 pm Rotterdam time and your parcel leaves the same day [6].',
  'Order before 15:00 and your parcel leaves the same day [6].',
  'Our chat is open Mon–Fri 9:00–18:00 and Sat 10 am–4 pm [5].',
  'Call +31 10 555 0100, Mon–Fri 9:00–17:00 [5].',
  'Call 010 555 0100 [5].',
  'Write to support@fernweh.example and put **Complaint** in the subject [5].',
  'Write to <safety@fernweh.example> [4].',
  'Stop using the stove if its batch is TF-2403 or TF-2406 [4].',
  'See [how to send something back](https://help.fernweh.example/articles/how-do-i-send-something-back).',
  'See https://help.fernweh.example/articles/how-do-i-send-something-back.',
  'See <https://help.fernweh.example/articles/how-do-i-contact-support> for more.',
  'Read **[the warranty](https://help.fernweh.example/articles/warranty-repairs-and-the-lifetime-backpack-promise)** first (it is short).',
  'Any page below help.fernweh.example may help: https://help.fernweh.example/articles/where-is-my-order',
  '1. Stop using it and keep it away from children.\n2. Check the batch number.\n3. Write to safety@fernweh.example [4].',
  'Step 1: Go to your basket. Step 2: Enter the code under **Discount code**. Step 3: Select *Apply* [3].',
  '1️⃣ Go to your basket\n2️⃣ Enter the code [3]',
  'Your order FW-20418 of €120 came on 3 May, so the period began on the day after [1].',
  'The `FW-2024X` jacket is torn, you say: then the warranty counts, not the return period [1].',
  'No problem! 😀 Happy hiking 👩‍💻🏔️ and let me know if anything is unclear!',
  'I am sorry to hear that. I understand that this is annoying, and I am happy to explain.',
  "We'd love to help! I can only explain what our articles say, I cannot change your order myself.",
  'If our own price drops within 14 days of your order, we refund the difference [3].',
  'If our own price drops within 14 days of your order, we will refund the difference [3].',
  'If you have not paid yet, Klarna lowers your invoice [2]. If you have already paid, Klarna sends the money back [2].',
  'A colleague replies within 1 working day [5].',
  'Once your return has been checked, you get an email [2].',
  'We will never ask for your password or your full card number [5].',
  'We match the price before you order and up to 14 days after [3].',
  'Can I ask whether you were signed in at checkout?',
  'Sie haben **30 Tage** Zeit, Schuhe zurückzugeben – Mitglieder sogar 100 Tage [1].',
  'Mit einer Bestellung ab 80 € sparen Sie 10 € („Willkommen“) [3].',
  'Vous avez 30 jours pour renvoyer un article [1].',
  'Your order was for €120,00, so you wrote.',
  'Shoes must be worn “indoors only” – don’t walk outside… [1]',
  'Refunds & returns: cash and/or card; terms (e.g. labels, i.e. stickers) apply [1].',
  'Use `Returns` in your account > **Orders**, then "Print label" [1][2].',
  '> You have 30 days to return anything you bought from us. [1]\n\nThat is what the article says.',
  'It takes approx. 3 working days [2]. Then the bank needs 3–5 working days for cards, e.g. Visa [2].',
  'Members have a hundred days to return it [1].',
  'Use the link in the email we sent you. The code we emailed you is in it.',
  'If your order was cancelled, the money goes back the way you paid [2].',
  'You can see in your account whether your payment was processed. Check that your account was created.',
  'You will receive an email once your return has been checked [2].',
  'You will get your refund within 5–7 working days if you paid with Klarna [2].',
  'Once we have received your return, you will be refunded [2].',
  'We refund you within 3 working days, once we have checked your return [2].',
  'If you keep something, we refund the items only [2].',
  'Your order is sent from our warehouse in Rotterdam [6].',
  'You will not get a refund for used items.',
  'We started small. I checked the articles, and they do not say more.',
];

describe('an honest answer', () => {
  test.each(answers)('%j passes as it is', (answer) => {
    for (const chunks of [[answer], units(answer)]) {
      const { shown, prefixes, rule } = guarded(chunks);
      expect({ shown, rule }).toEqual({ shown: answer, rule: undefined });
      expect(prefixes.flatMap(badIn)).toEqual([]);
    }
  });
});
