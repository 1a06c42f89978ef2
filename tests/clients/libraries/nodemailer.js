// Nodemailer: which one (its directory) and the options of its sendmail transport (JSON).
// CommonJS, for it is what both versions take.
const [, , version, options] = process.argv;
const nodemailer = require(`/opt/clients/npm/node_modules/${version}`);

let input = '';
process.stdin.on('data', (chunk) => (input += chunk)).on('end', () => {
    const letter = JSON.parse(input);
    const mail = {
        from: { name: letter.from[0], address: letter.from[1] },
        to: { name: letter.to[0], address: letter.to[1] },
        cc: letter.cc,
        bcc: letter.bcc,
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
        envelope: letter.envelope,
    };
    nodemailer
        .createTransport({ sendmail: true, ...JSON.parse(options) })
        .sendMail(mail)
        .then(() => console.log(JSON.stringify({ sent: true, error: null })))
        .catch((error) => console.log(JSON.stringify({ sent: false, error: error.message })));
});
